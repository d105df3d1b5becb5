"""Tables of held-out likelihoods, and the choice that follows from them."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from experiments._base.results import markdown_table
from experiments._base.rows import Row
from experiments.denoise_real.score import AGAINST_INPUT, HALVES, UMSE, UMSE_LOW, RegionScores

NUMBERS = (*AGAINST_INPUT, *HALVES, "cpu_seconds")
BLOCKS = "blocks"  # column: values of all blocks, which paired errors are worked out from


def region_table(scores: Sequence[RegionScores], bands: Sequence[str], reference: str) -> str:
    """Likelihoods of one region above the mean image; in brackets what they are above another's."""
    base = next(each.mean() for each in scores if each.method == reference)
    lines = []
    for each in scores:
        found = each.mean()
        above = found.above(base)
        cells = []
        for band in bands:
            cell = f"{found.value(band):.3f}"
            if each.method != reference:
                cell += f" ({above.value(band):+.3f} ± {above.error(band):.3f})"
            cells.append(cell)
        lines.append([each.method, *cells])
    return markdown_table(["method", *bands], lines)


def deciding_table(scores: Sequence[RegionScores], config: dict[str, Any]) -> str:
    """Format the deciding band and uPSNR there, methods down, regions across."""
    band, reference = config["deciding"], config["reference"]
    regions = list(dict.fromkeys((each.camera, each.region) for each in scores))
    known = {(e.camera, e.region, e.method): e for e in scores}
    lines = []
    for method in dict.fromkeys(each.method for each in scores):
        cells = []
        for region in regions:
            each = known.get((*region, method))
            if each is None:
                cells.append("")
                continue
            above = each.mean().above(known[*region, reference].mean())
            error = each.mean().value(UMSE_LOW)
            psnr = f"{10 * math.log10(each.electrons / error):.2f} dB" if error > 0 else "-"
            cells.append(f"{above.value(band):+.3f} ± {above.error(band):.3f}, {psnr}")
        lines.append([method, *cells])
    return markdown_table(["method", *(f"{camera}, {name}" for camera, name in regions)], lines)


def squared_error_table(scores: Sequence[RegionScores], reference: str) -> str:
    """Format unbiased errors without a truth; in brackets what a method is better than another."""
    base = next(each.mean() for each in scores if each.method == reference)
    lines = []
    for each in scores:
        found = each.mean()
        cells = []
        for band in (UMSE, UMSE_LOW):
            value, gained = found.value(band), base.above(found)
            psnr = 10 * math.log10(each.electrons / value) if value > 0 else math.inf
            cells.append(f"{value:.4f} ({gained.value(band):+.4f} ± {gained.error(band):.4f})")
            cells.append(f"{psnr:.2f}" if value > 0 else "above all bounds")
        lines.append([each.method, *cells])
    titles = [UMSE, "uPSNR, dB", UMSE_LOW, "uPSNR below 0.15, dB"]
    return markdown_table(["method", *titles], lines)


def against_input_table(scores: Sequence[RegionScores]) -> str:
    """Format agreement with the noisy image itself, and processor seconds."""
    lines = []
    for each in scores:
        values = [each.numbers[name] for name in AGAINST_INPUT]
        lines.append(
            [each.method, *(f"{v:.4g}" for v in values), f"{each.numbers['cpu_seconds']:.1f}"]
        )
    titles = [f"{name} against the input" for name in AGAINST_INPUT]
    return markdown_table(["method", *titles, "processor s"], lines)


def halves_table(scores: Sequence[RegionScores]) -> str:
    """Format what independently denoised halves share, and what is left in the residual."""
    lines = [
        [each.method, *(f"{each.numbers[name]:.3f}" for name in HALVES)]
        for each in scores
        if HALVES[0] in each.numbers
    ]
    return markdown_table(["method", *HALVES], lines)


def csv_rows(scores: Sequence[RegionScores]) -> list[Row]:
    """Rows of all bands: mean over splits, and that of each block."""
    rows = []
    for each in scores:
        for band, values in each.blocks.items():
            rows.append(
                {
                    "camera": each.camera,
                    "region": each.region,
                    "method": each.method,
                    "electrons": each.electrons,
                    **{name: each.numbers.get(name, math.nan) for name in NUMBERS},
                    "band": band,
                    "mean": float(values.mean()),
                    "splits": len(values),
                    BLOCKS: " ".join(f"{v:.5g}" for v in values.mean(0).tolist()),
                }
            )
    return rows


def scores_of(rows: Sequence[Row]) -> list[RegionScores]:
    """Scores of the rows of `csv_rows`, all splits taken together."""
    found: dict[tuple[str, str, str], RegionScores] = {}
    for row in rows:
        key = (row["camera"], row["region"], row["method"])
        if key not in found:
            numbers = {n: float(row[n]) for n in NUMBERS if not math.isnan(float(row[n]))}
            found[key] = RegionScores(*key, {}, numbers, float(row["electrons"]))
        values = [float(v) for v in str(row[BLOCKS]).split()]
        found[key].blocks[row["band"]] = torch.tensor([values])
    return list(found.values())


def comparison(
    scores: Sequence[RegionScores], ours: Sequence[str], band: str, others: Sequence[str]
) -> str:
    """Say of our methods what they are above each other one, in the deciding band."""
    lines = []
    for region in dict.fromkeys((each.camera, each.region) for each in scores):
        these = {e.method: e.mean() for e in scores if (e.camera, e.region) == region}
        for mine in (name for name in ours if name in these):
            said = []
            for other in (name for name in others if name in these):
                above = these[mine].above(these[other])
                said.append(f"{other} {above.value(band):+.3f} ± {above.error(band):.3f}")
            lines.append(f"- {region[0]}, {region[1]}: **{mine}** above {'; '.join(said)}")
    return "\n".join(lines)


def choose(
    scores: Sequence[RegionScores], candidates: Sequence[str], config: dict[str, Any]
) -> dict[str, Any]:
    """Choose the method with the highest mean likelihood among those that are nowhere beaten.

    A method is beaten where another candidate is above it by more than `standard_errors` of the
    difference, in the deciding band. If all are beaten somewhere, the highest mean decides.
    """
    band, limit = config["deciding"], config["choice"]["standard_errors"]
    regions = list(dict.fromkeys((each.camera, each.region) for each in scores))
    known = {(e.camera, e.region, e.method): e.mean() for e in scores}
    names = [n for n in candidates if all((*region, n) in known for region in regions)]
    unbeaten, means = [], {}
    for name in names:
        values = [known[*region, name].value(band) for region in regions]
        bases = [known[*region, config["reference"]].value(band) for region in regions]
        means[name] = sum(v / b for v, b in zip(values, bases, strict=True)) / len(values)
        beaten = False
        for region in regions:
            for other in names:
                above = known[*region, other].above(known[*region, name])
                beaten |= other != name and above.value(band) > limit * above.error(band)
        if not beaten:
            unbeaten.append(name)
    best = max(unbeaten or names, key=lambda name: means[name])
    cameras = list(dict.fromkeys(camera for camera, _ in regions))
    values = {
        f"{camera}, {region}": {n: round(known[camera, region, n].value(band), 4) for n in names}
        for camera, region in regions
    }
    return {
        "method": best,
        "why": (
            f"the highest held-out likelihood {band} cycles/pixel on real micrographs "
            f"({', '.join(cameras)}), {100 * (means[best] - 1):+.1f} % beside Wiener's filter"
        ),
        "nats_per_1000_pixels": values,
    }
