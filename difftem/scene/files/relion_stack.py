"""Particles cut out of a micrograph: a stack and RELION's table of it."""

from pathlib import Path

import torch
from torch import Tensor

from difftem.io.files import replacing
from difftem.io.mrc import write_mrc
from difftem.io.star import StarTable, read_star, star_text
from difftem.scene.files.relion_write import SAMPLE, decimals

_X, _Y = "rlnCoordinateX", "rlnCoordinateY"
_SIZES = {"rlnImageSize": "{}", "rlnImageDimensionality": "2"}


def write_relion_stack(
    folder: Path, name: str, inside: str, particles: Path, image: Tensor, box_size: int
) -> int:
    """Cut boxes around the particles of a table out of their micrograph.

    Boxes begin at whole pixels: ``rlnCoordinate`` is where the box's pixel n // 2 was, and
    ``rlnOriginAngst`` what is left, so that coordinate less origin is where the particle is, as is
    the place in the sample less origin. Grey values stay as they are. Particles whose box leaves
    the micrograph are left out.

    Parameters
    ----------
    folder : Path
        Where to write ``<name>.mrcs`` and ``<name>.star``.
    name : str
        Of both.
    inside : str
        Name of that folder, with a slash, as RELION is to find the stack.
    particles : Path
        Table of all particles, from `write_relion_particles`.
    image : Tensor
        The micrograph, ``(y, x)``.
    box_size : int
        Side of the boxes in pixels.

    Returns
    -------
    int
        How many particles were cut out; no file is written if there are none.
    """
    tables = read_star(particles)
    optics, table = tables["optics"], tables.get("particles")
    if not table:  # of a micrograph without particles
        return 0
    pixel_size = float(optics["rlnMicrographPixelSize"][0])
    at = torch.tensor([[float(c) for c in table[each]] for each in (_X, _Y)], dtype=torch.float64)
    whole = at.round()
    x, y = whole.long() - box_size // 2
    ny, nx = image.shape
    inner = (x >= 0) & (y >= 0) & (x + box_size <= nx) & (y + box_size <= ny)
    kept = inner.nonzero()[:, 0].tolist()
    if not kept:
        return 0
    boxes = [image[y[i] : y[i] + box_size, x[i] : x[i] + box_size] for i in kept]
    write_mrc(folder / f"{name}.mrcs", torch.stack(boxes).numpy(), pixel_size, ["difftem"])
    left = (whole - at) * pixel_size
    changed: StarTable = {
        _X: decimals(whole[0]),
        _Y: decimals(whole[1]),
        "rlnOriginXAngst": decimals(left[0]),
        "rlnOriginYAngst": decimals(left[1]),
    }
    for column, shift in zip(SAMPLE, left, strict=True):
        if column in table:
            place = torch.tensor([float(c) for c in table[column]], dtype=torch.float64)
            changed[column] = decimals(place + shift)
    rows = {c: [cells[i] for i in kept] for c, cells in (table | changed).items()}
    names = [f"{i + 1:06d}@{inside}{name}.mrcs" for i in range(len(kept))]
    optics["rlnImagePixelSize"] = optics["rlnMicrographPixelSize"]
    optics |= {column: [text.format(box_size)] for column, text in _SIZES.items()}
    text = star_text({"optics": optics, "particles": {"rlnImageName": names, **rows}})
    with replacing(folder / f"{name}.star", overwrite=False) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return len(kept)
