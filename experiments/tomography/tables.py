"""Tables of reconstructions, and in words where denoising hurts."""

from collections.abc import Sequence
from statistics import mean
from typing import Any

from experiments._base.results import markdown_table, mean_and_sd
from experiments._base.rows import Row, pick, values_of
from experiments.tomography.stacks import NOISE_FREE

# Column, title, digits, and whether more is better.
_COLUMNS = (
    ("fsc_0.5", "FSC = 0.5 [Å]", 1, False),
    ("fsc_0.143", "FSC = 0.143 [Å]", 1, False),
    ("fsc_mean", "mean FSC", 3, True),
    ("background", "background / signal", 2, False),
    ("contrast", "contrast / background", 2, True),
    ("error_median", "angle, median [°]", 1, False),
    ("error_90", "90 % [°]", 1, False),
    ("hits", "hits", 2, True),
)
_SURE = 2.0  # standard errors of paired differences


def report(
    rows: Sequence[Row], config: dict[str, Any], reconstructions: Sequence[str] = ("sirt", "wbp")
) -> str:
    """Format one table a scene, and what denoising made worse and better."""
    parts = [
        "Mean ± standard deviation over the seeds. *Worse* and *better*: in all seeds, and by more "
        f"than {_SURE:g} standard errors."
    ]
    for scene in values_of(rows, "scene"):
        here = pick(rows, scene=scene)
        settings = config["scenes"][scene]
        seeds = len(values_of(here, "seed"))
        count = sum(row["particles"] for row in _of_first(here))
        lines = [
            [name, f"{kind} {_setting(some[0])}", *(_cell(some, column) for column in _COLUMNS)]
            for name in values_of(here, "method")
            for kind in reconstructions
            if (some := pick(here, method=name, reconstruction=kind))
        ]
        title = settings["title"][0].upper() + settings["title"][1:]
        parts.append(
            f"**{title}**: {settings['pixel_size']:g} Å, {settings['defocus_um']:g} µm underfocus, "
            f"{settings['ice_nm']:g} nm of ice; {count} particles in {seeds} seeds, hits are "
            f"errors below {settings['particle']['hit_deg']:g}°."
        )
        titles = ["method", "by", *(title for _, title, *_ in _COLUMNS)]
        parts.append(markdown_table(titles, lines))
        parts.append("\n".join(_said(here, config["reference"], kind) for kind in reconstructions))
    return "\n\n".join(parts)


def _of_first(rows: Sequence[Row]) -> list[Row]:
    """Rows of one method and one reconstruction: one for each seed."""
    return pick(rows, method=rows[0]["method"], reconstruction=rows[0]["reconstruction"])


def _setting(row: Row) -> str:
    return f"{row['setting']:g}"


def _cell(rows: Sequence[Row], column: tuple[str, str, int, bool]) -> str:
    name, _, digits, _ = column
    return mean_and_sd([row[name] for row in rows], digits)


def _said(rows: Sequence[Row], reference: str, kind: str) -> str:
    """Say in which columns methods are surely worse than the reference, and in which better."""
    base = pick(rows, method=reference, reconstruction=kind)
    found: dict[bool, list[str]] = {False: [], True: []}
    for name, title, _, more in _COLUMNS:
        sure: dict[bool, list[str]] = {False: [], True: []}
        for method in values_of(rows, "method"):
            mine = pick(rows, method=method, reconstruction=kind)
            if method in (reference, NOISE_FREE) or not mine:
                continue
            gains = [
                (a[name] - b[name]) * (1 if more else -1) for a, b in zip(mine, base, strict=True)
            ]
            for better in (False, True):
                if _is_sure([gain if better else -gain for gain in gains]):
                    sure[better].append(method)
        for better, methods in sure.items():
            if methods:
                found[better].append(f"{title}: {', '.join(methods)}")
    worse, better_ = ("; ".join(found[each]) or "nothing" for each in (False, True))
    return f"- {kind}, **worse** than {reference}: {worse}.\n- {kind}, better: {better_}."


def _is_sure(gains: Sequence[float]) -> bool:
    """Whether all gains are positive, and their mean by more than its standard error."""
    n, centre = len(gains), mean(gains)
    if n < 2:
        return centre > 0
    spread = (sum((gain - centre) ** 2 for gain in gains) / (n - 1)) ** 0.5
    return min(gains) > 0 and centre > _SURE * spread / n**0.5
