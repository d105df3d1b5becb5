"""Phase flipping of a tilt series, with what its files and the user say of the microscope."""

import logging

from torch import Tensor

from difftem.scene.files.relion_write import Defocus
from difftem.tomography.geometry import SingleAxis
from difftem.tomography.phase_flip import Transfer, flipped
from difftem.units import um_to_angstrom
from difftem.workflows.reconstruct.options import ReconstructOptions
from difftem.workflows.reconstruct.series import LoadedSeries

logger = logging.getLogger(__name__)
_AMPLITUDE_CONTRAST = 0.07  # of ice and protein, where nothing is said


def with_flipped_phases(
    images: Tensor,  # (n_tilts, y, x)
    geometry: SingleAxis,
    series: LoadedSeries,
    options: ReconstructOptions,
) -> Tensor:  # (n_tilts, y, x)
    """Flip the phases of all images and say with what.

    Parameters
    ----------
    images : Tensor
        Binned, matter positive, not aligned yet.
    geometry : SingleAxis
        Of them.
    series : LoadedSeries
        With defocus and optics, where files say them.
    options : ReconstructOptions
        What the user says of them goes before.

    Returns
    -------
    Tensor
        As large.

    Raises
    ------
    ValueError
        If something is not known.
    """
    defocus = series.defocus
    if options.defocus_um is not None:
        told = um_to_angstrom(options.defocus_um)
        defocus = [Defocus(told, told)] * len(images)
    transfer = _transfer(series, options)
    if not defocus:
        raise _unknown(series.name, "defocus", "--defocus-um, underfocus positive")
    if series.pixel_size is None:
        raise _unknown(series.name, "pixel size", "--pixel-size")
    done, strips = flipped(images, geometry, defocus, transfer, series.pixel_size * options.bin)
    means = sorted((each.u + each.v) / 2e4 for each in defocus)
    low, high = (f"{means[end]:.3g}" for end in (0, -1))
    logger.info(
        "%s: phases flipped in up to %d strips: defocus %s µm, %g kV, Cs %g mm, "
        "amplitude contrast %g",
        series.name,
        strips,
        low if low == high else f"{low} to {high}",
        transfer.voltage_kv,
        transfer.cs_mm,
        transfer.amplitude_contrast,
    )
    return done


def _transfer(series: LoadedSeries, options: ReconstructOptions) -> Transfer:
    """Microscope that the user or a file tells."""
    voltage = series.voltage_kv if options.voltage_kv is None else options.voltage_kv
    cs = series.cs_mm if options.cs_mm is None else options.cs_mm
    contrast = options.amplitude_contrast
    if contrast is None:
        contrast = series.amplitude_contrast
    if voltage is None:
        raise _unknown(series.name, "voltage", "--voltage-kv")
    if cs is None:
        raise _unknown(series.name, "spherical aberration", "--cs-mm")
    return Transfer(voltage, cs, _AMPLITUDE_CONTRAST if contrast is None else contrast)


def _unknown(name: str, what: str, option: str) -> ValueError:
    return ValueError(f"{name}: no file says the {what}, and phases need it: tell it ({option})")
