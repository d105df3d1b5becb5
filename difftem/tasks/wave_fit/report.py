"""What is said after an image was learnt."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from difftem.pictures import draw_array
from difftem.tasks.report import FittedValue, Report, Table

_CORRELATION, _CONTRAST = "image/correlation_with_average", "image/contrast_over_average"


def make_wave_report(
    image: Tensor,  # (y, x) e/pixel
    average: Tensor | None,  # (y, x) e/pixel
    history: Sequence[Mapping[str, float]],
    notes: Sequence[str] = (),
) -> Report:
    """Put together text, curve and pictures.

    Parameters
    ----------
    image : Tensor
        What was learnt, behind the camera's blur.
    average : Tensor or None
        Of the exposures.
    history : sequence of mapping
        ``step`` and what was logged of each step.
    notes : sequence of str
        Lines about the data.

    Returns
    -------
    Report
        Its results are correlation and contrast against the average.
    """
    last = history[-1] if history else {}
    text = [
        "# An image learnt from its exposures",
        "",
        "The image has no prior: it converges to the average of the exposures. Correlation with it "
        f"{last.get(_CORRELATION, float('nan')):.4f}, contrast "
        f"{last.get(_CONTRAST, float('nan')):.3f} of its contrast, after "
        f"{last.get('step', 0):.0f} steps.",
        "",
        *[f"- {note}" for note in notes],
    ]
    columns = list(last)
    tables = {"fit_curve": Table(columns, [[row[name] for name in columns] for row in history])}
    figures = {}
    if average is not None:
        figures["images"] = _draw(image.cpu(), average.cpu())
    shown = [name for name in (_CORRELATION, _CONTRAST) if name in last]
    values = [FittedValue(name.partition("/")[2], last[name]) for name in shown]
    metrics = {name: last[name] for name in last if name != "step"}
    return Report("\n".join(text) + "\n", metrics, tables if history else {}, figures, values)


def _draw(image: Tensor, average: Tensor) -> Any:
    """Average and image, each around its own mean, at one grey scale."""
    from matplotlib.figure import Figure

    figure = Figure((8.0, 4.2), layout="constrained")
    limit = 3 * float(average.std()) or 1.0
    for axis, (title, shown) in zip(
        figure.subplots(1, 2),
        (("average of the exposures", average), ("learnt", image)),
        strict=True,
    ):
        draw_array(axis, shown - shown.mean(), (-limit, limit))
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    return figure
