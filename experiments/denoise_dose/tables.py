"""Tables of the scores over dose and projections."""

from collections.abc import Sequence
from statistics import mean
from typing import Any

from experiments._base.results import markdown_table, mean_and_sd
from experiments._base.rows import Row, pick, values_of

PSNR, CORRELATION = "psnr_truth_range_db", "correlation"
DIGITS = {"psnr_truth_range_db": 1, "paper_mm_psnr_db": 1, "sbd_psnr_peak_1_clipped_db": 1}


def name_of(dose: float, projections: int) -> str:
    """Write a setting as the paper does: dose in e/nm², projections."""
    return f"({dose:g}, {projections})"


def at(rows: Sequence[Row], setting: Sequence[Any]) -> list[Row]:
    """Rows of a setting."""
    dose, projections = setting
    return pick(rows, dose_e_per_nm2=dose, projections=projections)


def short_table(rows: Sequence[Row], column: str, config: dict[str, Any]) -> str:
    """One column of scores at the settings of the short table, mean ± sd over seeds."""
    settings = [each for each in config["key_settings"] if at(rows, each)]
    lines = []
    for method in values_of(rows, "method"):
        cells = [[r[column] for r in pick(at(rows, s), method=method)] for s in settings]
        digits = DIGITS.get(column, 3)
        lines.append([method, *(mean_and_sd(c, digits) if c else "" for c in cells)])
    return markdown_table([f"`{column}`", *(name_of(*s) for s in settings)], lines)


def summary_table(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """PSNR and correlation at the settings of the short table, with times."""
    settings = [each for each in config["key_settings"] if at(rows, each)]
    lines = []
    for method in values_of(rows, "method"):
        cells = []
        for each in settings:
            own = pick(at(rows, each), method=method)
            psnr = mean_and_sd([r[PSNR] for r in own], 1) if own else ""
            cells.append(f"{psnr}, {mean(r[CORRELATION] for r in own):.3f}" if own else "")
        own = [row for each in settings for row in pick(at(rows, each), method=method)]
        trained = own[0]["training_seconds"] / 60
        lines.append(
            [
                method,
                *cells,
                f"{mean(r['cpu_seconds'] for r in own):.2f}",
                f"{trained:.0f} min" if trained else "",
            ]
        )
    titles = [name_of(*each) for each in settings]
    return markdown_table(["PSNR in dB, correlation", *titles, "s", "training"], lines)


def time_table(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """Processor seconds of an image and of 50 projections."""
    settings = [each for each in config["key_settings"] if at(rows, each)]
    lines = []
    for method in values_of(rows, "method"):
        cells = [[r["cpu_seconds"] for r in pick(at(rows, s), method=method)] for s in settings]
        lines.append([method, *(f"{mean(c):.2f}" if c else "" for c in cells)])
    return markdown_table(["processor seconds", *(name_of(*s) for s in settings)], lines)


def grid_table(rows: Sequence[Row], method: str, column: str, reference: str) -> str:
    """Scores of a method over the grid; in brackets what they are above a reference."""
    doses = sorted({row["dose_e_per_nm2"] for row in rows})
    numbers = sorted({row["projections"] for row in rows})
    digits = DIGITS.get(column, 3)
    lines = []
    for dose in doses:
        cells = []
        for n in numbers:
            here = at(rows, (dose, n))
            mine, base = (
                [r[column] for r in pick(here, method=name)] for name in (method, reference)
            )
            above = f" ({mean(mine) - mean(base):+.{digits}f})" if mine and base else ""
            cells.append(f"{mean(mine):.{digits}f}{above}" if mine else "")
        lines.append([f"{dose:g} e/nm²", *cells])
    return markdown_table([f"{method}, `{column}`", *(str(n) for n in numbers)], lines)


def verdict(rows: Sequence[Row], config: dict[str, Any]) -> str:
    """Say what the best and the general method reach beside the targets, and who is above it."""
    lines = []
    for setting in config["key_settings"]:
        name, here = name_of(*setting), at(rows, setting)
        if name not in config["targets"] or not here:
            continue
        psnr, correlation = config["targets"][name]
        found = {
            method: [mean(r[c] for r in pick(here, method=method)) for c in (PSNR, CORRELATION)]
            for method in values_of(here, "method")
        }
        best = max(found, key=lambda each: found[each][0])
        lines.append(
            f"- {name}: target {psnr:g} dB, {correlation:g}; best is **{best}** with "
            f"{found[best][0]:.1f} dB, {found[best][1]:.3f} "
            f"({found[best][0] - psnr:+.1f} dB, {found[best][1] - correlation:+.3f})"
            + _general(found, psnr, config)
        )
    return "\n".join(lines)


def _general(found: dict[str, list[float]], psnr: float, config: dict[str, Any]) -> str:
    """Say how far the general method is from the target, and what is better than it."""
    name, limit = config["general"], config["general_db"]
    if name not in found:
        return "."
    own = found[name][0]
    above = sorted((m for m in found if found[m][0] > own), key=lambda m: -found[m][0])
    said = ", ".join(f"{m} {found[m][0] - own:+.1f}" for m in above) or "nothing"
    reached = "within" if psnr - own <= limit else "not within"
    return (
        f"; **{name}** {own:.1f} dB, {found[name][1]:.3f}: {reached} {limit:g} dB of the target. "
        f"Above it, in dB: {said}."
    )
