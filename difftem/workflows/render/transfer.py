"""From grey values to colour and opacity, the same for all volumes that are compared."""

from dataclasses import dataclass

from difftem.analysis.volume_background import pooled, volume_background
from difftem.workflows.render.load import ShownVolume
from difftem.workflows.render.look import Look
from difftem.workflows.render.options import RenderOptions

_TOP = 0.98  # of the voxels above the threshold: what is shown brightest
_STEPS = 5.0  # deviations of the noise that threshold and top are apart at least


@dataclass(frozen=True)
class TransferFunction:
    """Grey values that are shown.

    Attributes
    ----------
    threshold : float
        Below, a voxel is transparent; surfaces are drawn there.
    top : float
        From there on, colour and opacity do not change.
    level, noise : float
        Of the background, for the record.
    """

    threshold: float
    top: float
    level: float
    noise: float


def shared_transfer(
    volumes: list[ShownVolume], look: Look, options: RenderOptions
) -> TransferFunction:
    """Find one transfer function for several volumes.

    Level and noise of the background are those of the voxels of all volumes together, so that
    the order of volumes does not matter. The threshold is so many deviations of the noise above the
    level as the preset says.

    Parameters
    ----------
    volumes : list of ShownVolume
        As they are shown.
    look : Look
        Preset.
    options : RenderOptions
        Threshold and top, where the user gives them.

    Returns
    -------
    TransferFunction
        In grey values.

    Raises
    ------
    ValueError
        If the user's threshold is above all values.
    """
    values = pooled([volume.data for volume in volumes])
    level, noise = volume_background(values)
    highest = max(float(volume.data.max()) for volume in volumes)
    threshold = options.threshold
    if threshold is None:
        threshold = level + look.threshold_sigma * noise
        if threshold >= highest:  # nothing stands out: what there is, is shown
            threshold = level
    elif threshold >= highest:
        raise ValueError(
            f"threshold (--threshold) must be below the highest value of the volumes, {highest:g}, "
            f"got {threshold:g}"
        )
    top = options.top
    if top is None:
        above = values[values > threshold]
        found = float(above.double().quantile(_TOP)) if len(above) else highest
        top = max(found, min(threshold + _STEPS * noise, highest))
        top = top if top > threshold else highest
    if not top > threshold:
        raise ValueError(f"top (--top) must be above the threshold, {threshold:g}, got {top:g}")
    return TransferFunction(threshold, top, level, noise)
