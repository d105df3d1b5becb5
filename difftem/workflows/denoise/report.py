"""What a user reads beside the image."""

from collections.abc import Sequence

from difftem.workflows.denoise.one_image import ImageNumbers

_MOST_ROWS = 200


def write_report(
    name: str,
    method: str,
    numbers: Sequence[ImageNumbers],
    messages: Sequence[str],
) -> str:
    """Write the report in Markdown.

    Parameters
    ----------
    name : str
        Of the file.
    method : str
        Method and why it was taken.
    numbers : sequence of ImageNumbers
        One for each image.
    messages : sequence of str
        All that was said.

    Returns
    -------
    str
        Markdown.
    """
    from tabulate import tabulate

    rows = [
        [index, each.exposures, each.electrons, 100 * each.signal_share, each.residual_variance]
        for index, each in enumerate(numbers, start=1)
    ]
    table = tabulate(
        rows[:_MOST_ROWS],
        headers=[
            "image",
            "exposures",
            "e/pixel of each",
            "variance kept (%)",
            "residual variance (noise = 1)",
        ],
        tablefmt="github",
        floatfmt=".4g",
    )
    lines = [f"# {name}, denoised", "", f"Method {method}.", "", "## Noise of the camera", ""]
    many = len(numbers) > 1
    for index, each in enumerate(numbers[:_MOST_ROWS], start=1):
        lines.append(f"- image {index}: {each.sentence}" if many else f"- {each.sentence}")
    lines += ["", "## Images", "", table, ""]
    lines += [
        "A residual variance of 1 is that of the noise: less means that noise was kept, more that "
        "signal was taken off.",
        "",
        "## What was said",
        "",
        *(f"- {line}" for line in messages),
        "",
    ]
    return "\n".join(lines)
