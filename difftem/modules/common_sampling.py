"""Whether the stages of a microscope fit together, and onto which pixels its image falls."""

import math

from difftem.modules.dose import Dose
from difftem.modules.inelastic import InelasticMultislice
from difftem.modules.lens import Lens
from difftem.modules.multislice import Multislice
from difftem.modules.specimen import Specimen

WHOLE = 1e-4  # of a pixel


def common_field(
    specimen: Specimen,
    multislice: Multislice | InelasticMultislice,
    lens: Lens,
    dose: Dose,
    pixel_size: float | None = None,  # Å
) -> tuple[int, int]:
    """Check that stages share their sampling.

    Parameters
    ----------
    specimen, multislice, lens
        Of one pixel size, and one slice thickness.
    dose
        Of the micrograph's pixel size.
    pixel_size : float, optional
        Of the micrograph in Å. Default: that of the specimen.

    Returns
    -------
    tuple of int
        ``(ny, nx)`` of the specimen's field in the micrograph's pixels.

    Raises
    ------
    ValueError
        If they differ, or the micrograph's pixels do not fill the field.
    """
    sizes = {specimen.pixel_size, multislice.pixel_size, lens.pixel_size}
    wanted = specimen.pixel_size if pixel_size is None else pixel_size
    if len(sizes) > 1 or dose.pixel_size != wanted:
        found = sorted(sizes | {dose.pixel_size})
        raise ValueError(f"all stages must share one pixel size, got {found} Å")
    thickness = getattr(multislice, "slice_thickness", specimen.slice_thickness)
    if specimen.slice_thickness != thickness:
        raise ValueError(
            "specimen and multislice must share one slice thickness, got "
            f"{specimen.slice_thickness} and {thickness} Å"
        )
    if pixel_size is None:
        return specimen.shape
    exact = [n * specimen.pixel_size / pixel_size for n in specimen.shape]
    sides = [round(n) for n in exact]
    even = all(n % 2 == 0 for n in (*specimen.shape, *sides))
    if not even or not all(
        math.isclose(n, side, abs_tol=WHOLE) and side <= finer
        for n, side, finer in zip(exact, sides, specimen.shape, strict=True)
    ):
        raise ValueError(
            f"pixel_size must divide the field of {specimen.shape} pixels of "
            f"{specimen.pixel_size:g} Å into an even number of larger ones, got {pixel_size:g} Å"
        )
    return sides[0], sides[1]
