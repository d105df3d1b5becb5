"""Tables of held-out likelihoods, and the choice that follows from them."""

from collections.abc import Sequence
from typing import Any

from experiments._base.results import markdown_table
from experiments.denoise_real.score import RegionScores


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
