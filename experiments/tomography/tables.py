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
    ("contrast", "contrast / background", 1, True),
    ("error_median", "angle, median [°]", 1, False),
    ("error_90", "90 % [°]", 1, False),
    ("hits", "hits", 2, True),
)
_SURE = 2.0  # standard errors of paired differences


def report(
    rows: Sequence[Row], config: dict[str, Any], reconstructions: Sequence[str] = ("sirt", "wbp")
) -> str:
    """Format one table a scene, and what denoising made worse."""
    parts = []
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
    """Say what each method made worse than the reference, and how surely over the seeds."""
    found = []
    for method in values_of(rows, "method"):
        if method in (reference, NOISE_FREE):
            continue
        worse = []
        for name, title, digits, more in _COLUMNS:
            mine = pick(rows, method=method, reconstruction=kind)
            base = pick(rows, method=reference, reconstruction=kind)
            both = [(a[name], b[name]) for a, b in zip(mine, base, strict=True)]
            if _is_worse([a - b if more else b - a for a, b in both]):
                now, was = (mean(pair[i] for pair in both) for i in (0, 1))
                worse.append(f"{title} {now:.{digits}f} instead of {was:.{digits}f}")
        if worse:
            found.append(f"{method}: {', '.join(worse)}")
    said = "; ".join(found) or "nothing"
    sure = f"in all seeds, by more than {_SURE:g} standard errors"
    return f"- {kind}: worse than {reference} {sure}: {said}."


def _is_worse(gains: Sequence[float]) -> bool:
    """Whether all gains are negative, and their mean by more than its standard error."""
    n, centre = len(gains), mean(gains)
    if n < 2:
        return centre < 0
    spread = (sum((gain - centre) ** 2 for gain in gains) / (n - 1)) ** 0.5
    return max(gains) < 0 and -centre > _SURE * spread / n**0.5
