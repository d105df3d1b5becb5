"""Tables of the scores on simulated micrographs."""

from collections.abc import Callable, Iterable, Sequence
from statistics import mean
from typing import Any

from experiments._base.results import markdown_table, mean_and_sd

Row = dict[str, Any]


def pick(rows: Sequence[Row], **facts: Any) -> list[Row]:
    """Rows with these facts."""
    return [row for row in rows if all(row[name] == value for name, value in facts.items())]


def by_seed(rows: Sequence[Row], value: Callable[[Row], float]) -> list[float]:
    """Mean over images for each seed of the noise."""
    return [
        mean(value(row) for row in pick(rows, seed=seed))
        for seed in sorted({row["seed"] for row in rows})
    ]


def with_ratios(rows: Sequence[Row], reference: str) -> list[Row]:
    """Add the ratio of errors to those of the reference on the same image."""
    names = ("scene", "dose", "seed")
    known = {tuple(row[n] for n in names): row for row in pick(rows, method=reference)}
    result = []
    for row in rows:
        base = known[tuple(row[n] for n in names)]
        ratios = {f"{e}_ratio": row[e] / base[e] for e in ("nmse", "nmse_all", "nmse_ice")}
        result.append(row | ratios | {"best_ratio": row["nmse"] / row["best"]})
    return result


def dose_table(rows: Sequence[Row], methods: Sequence[str], reference: str) -> str:
    """Scores by dose, over all scenes; mean and standard deviation over the seeds of the noise."""
    rows = with_ratios(rows, reference)
    lines = []
    for dose in sorted({row["dose"] for row in rows}):
        for method in methods:
            these = pick(rows, dose=dose, method=method)
            cells = [
                mean_and_sd(by_seed(these, lambda row, name=name: row[name]), 3)
                for name in ("nmse", "nmse_ratio", "correlation", "frc_half")
            ]
            worst = max(row["nmse_ratio"] for row in these)
            others = [
                f"{mean(r[n] for r in these):.3f}"
                for n in ("best_ratio", "nmse_all_ratio", "nmse_ice_ratio")
            ]
            lines.append([f"{dose:g}", method, *cells[:2], f"{worst:.3f}", *cells[2:], *others])
    columns = [
        "e/pixel",
        "method",
        "NMSE",
        f"over {reference}'s",
        "worst image",
        "correlation",
        "FRC = 0.5, cycles/pixel",
        "over the best radial filter's",
        "with the ring",
        "ice in the truth",
    ]
    return markdown_table(columns, lines)


def scene_table(rows: Sequence[Row], methods: Sequence[str], reference: str) -> str:
    """Ratios of errors by scene and dose, mean over the seeds."""
    rows = with_ratios(rows, reference)
    doses = sorted({row["dose"] for row in rows})
    lines = []
    for scene in dict.fromkeys(row["scene"] for row in rows):
        base = pick(rows, scene=scene, method=reference)
        error = [f"{mean(r['nmse'] for r in pick(base, dose=d)):.3f}" for d in doses]
        lines.append([scene, f"{reference}, NMSE", *error])
        for method in methods:
            if method == reference:
                continue
            these = pick(rows, scene=scene, method=method)
            cells = [f"{mean(r['nmse_ratio'] for r in pick(these, dose=d)):.3f}" for d in doses]
            lines.append([scene, method, *cells])
    return markdown_table(["scene", "method", *(f"{d:g} e/pixel" for d in doses)], lines)


def setting_table(rows: Sequence[Row], methods: Sequence[str]) -> str:
    """PSNR and correlation in the TMV setting."""
    settings = list(dict.fromkeys(row["dose"] for row in rows))
    lines = []
    for method in methods:
        cells = []
        for dose in settings:
            these = pick(rows, dose=dose, method=method)
            psnr = mean_and_sd(by_seed(these, lambda row: row["psnr"]), 1)
            cells.append(f"{psnr} dB, {mean(row['correlation'] for row in these):.2f}")
        lines.append([method, *cells])
    return markdown_table(["method", *settings], lines)


def verdict(
    rows: Sequence[Row], methods: Iterable[str], reference: str, targets: dict[str, float]
) -> str:
    """Say which targets a method reaches, and the numbers."""
    rows = with_ratios(rows, reference)
    lines = []
    for method in methods:
        doses = sorted({row["dose"] for row in rows})
        ratios = {
            d: mean(r["nmse_ratio"] for r in pick(rows, dose=d, method=method)) for d in doses
        }
        high = max(value for dose, value in ratios.items() if dose >= targets["from_dose"])
        worst = max(pick(rows, method=method), key=lambda row: row["nmse_ratio"])
        above = sum(r["nmse_ratio"] > targets["per_image"] for r in pick(rows, method=method))
        checks = [
            (f"from {targets['from_dose']:g} e/pixel on", high, targets["ratio"]),
            ("at any dose", max(ratios.values()), targets["never"]),
            ("of the worst image", worst["nmse_ratio"], targets["per_image"]),
        ]
        said = [
            f"{what} {value:.3f} ({'at most' if value <= limit else 'above'} {limit:g})"
            for what, value, limit in checks
        ]
        place = f"{worst['scene']} at {worst['dose']:g} e/pixel, seed {worst['seed']}"
        lines.append(
            f"- **{method}**: ratio of its NMSE to {reference}'s {'; '.join(said)}. The worst is "
            f"{place}; {above} of {len(pick(rows, method=method))} images are above "
            f"{targets['per_image']:g}."
        )
    return "\n".join(lines)
