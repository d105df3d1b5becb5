"""SerialEM's ``.mdoc``: how each image of a tilt series was taken."""

from dataclasses import dataclass
from pathlib import Path

from difftem.io.files import replacing


@dataclass(frozen=True)
class SeriesAcquisition:
    """What an ``.mdoc`` says of a series.

    Attributes
    ----------
    image : str
        File name of the stack.
    shape : tuple of int
        Rows and columns (y, x).
    pixel_size : float
        Å.
    voltage_kv : float
        kV.
    tilts_deg : list of float
        What the stage was set to.
    dose_e_per_a2 : float
        Of each tilt.
    defocus_um : float
        Underfocus positive; the file has it negative, as SerialEM does.
    tilt_axis_deg : float
        Counter-clockwise from x.
    exposures : int
        Images of each tilt, one after the other.
    """

    image: str
    shape: tuple[int, int]
    pixel_size: float
    voltage_kv: float
    tilts_deg: list[float]
    dose_e_per_a2: float
    defocus_um: float
    tilt_axis_deg: float
    exposures: int = 1


def write_mdoc(path: str | Path, series: SeriesAcquisition, *, overwrite: bool = False) -> None:
    """Write the keys that IMOD, Warp and RELION look for.

    The title's tilt axis angle is counted from y, counter-clockwise, as Etomo's image rotation;
    RotationAngle is 90 degrees more. TiltAngle is what the stage was set to; ExposureDose that of
    the image and PriorRecordDose that before it, in e/Å².

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    series : SeriesAcquisition
        What to say.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    ny, nx = series.shape
    pixel = f"PixelSpacing = {series.pixel_size:g}"
    lines = [
        pixel,
        f"Voltage = {series.voltage_kv:g}",
        f"ImageFile = {series.image}",
        f"ImageSize = {nx} {ny}",
        "DataMode = 2",
        "",
        "[T = difftem: simulated tilt series]",
        "",
        f"[T =     Tilt axis angle = {series.tilt_axis_deg - 90:g}, binning = 1]",
        "",
    ]
    for number in range(len(series.tilts_deg) * series.exposures):
        lines += [
            f"[ZValue = {number}]",
            f"TiltAngle = {series.tilts_deg[number // series.exposures]:g}",
            f"ExposureDose = {series.dose_e_per_a2:g}",
            f"PriorRecordDose = {number * series.dose_e_per_a2:g}",
            pixel,
            f"Defocus = {-series.defocus_um:g}",
            f"TargetDefocus = {-series.defocus_um:g}",
            f"RotationAngle = {series.tilt_axis_deg:g}",
            "Binning = 1",
            "",
        ]
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("\n".join(lines), encoding="ascii")
