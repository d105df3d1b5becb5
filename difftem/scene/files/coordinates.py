"""Files of coordinates: RELION's STAR, TEM-simulator's text matrices, CSV."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.account import counted, give_account
from difftem.io.delimited import read_delimited
from difftem.io.errors import input_error
from difftem.io.files import replacing, unpacked_suffix
from difftem.io.text_matrix import read_text_matrix
from difftem.scene.files.euler import rotation_from_tem_simulator, tem_simulator_from_rotation
from difftem.scene.files.relion_read import read_relion_particles
from difftem.scene.files.relion_write import decimals
from difftem.scene.poses import ParticlePoses, Scene, is_name

logger = logging.getLogger(__name__)

_NM = 10.0  # Å
_REACH = 3e7  # Å
_PLACE = ("x", "y", "z")
_TURN = ("phi", "theta", "psi")
_NAME = "particle"
_SAMPLE = ("sample_x", "sample_y")  # where a tilted beam shows copies elsewhere
_RELION = ("rot", "tilt")  # of another convention: psi alone could be either


def read_coordinates(
    path: str | Path,
    *,
    particle: str = "particle",
    pixel_size: float | None = None,
    shape: tuple[int, ...] | None = None,
    image: str | None = None,
    coordinates_pixel_size: float | None = None,
    tomogram_size: tuple[int, int, int] | None = None,
) -> tuple[ParticlePoses, ...]:
    r"""Read where copies are and how they are turned.

    - ``.star``: RELION's particles, see `read_relion_particles`.
    - ``.csv``: a header with x, y, z in Å and, if wanted, phi, theta, psi in degrees in
      TEM-simulator's order, R = Rz(ψ) Rx(θ) Rz(φ), and particle; in any order. Of files that
      difftem wrote for a tilted beam, sample_x and sample_y are taken instead of x and y.
    - anything else: TEM-simulator's text matrix of six columns, x y z in nm and φ θ ψ in degrees.

    The origin is the middle of the field, z runs down the beam.

    Parameters
    ----------
    path : str or Path
        File to read, also as ``.gz``.
    particle : str
        Name of the particle, where the file names none.
    pixel_size : float, optional
        Of `shape` in Å, and of STAR files that count pixels and do not say how large they are.
    shape : tuple of int, optional
        Of the image (y, x) or tomogram (z, y, x), for STAR files that count pixels.
    image : str, optional
        Which micrograph or tomogram of a STAR file that has several; no other file has any.
    coordinates_pixel_size : float, optional
        In Å, of the pixels that the coordinates of a STAR file count, instead of the file's.
    tomogram_size : tuple of int, optional
        (x, y, z) of the tomogram of a STAR file in those pixels, instead of `shape`.

    Returns
    -------
    tuple of ParticlePoses
        One entry per particle.

    Raises
    ------
    InputError
        If the file is missing or empty, a column is missing, or a cell is not a finite number;
        the message names the line or row.

    Examples
    --------
    >>> from pathlib import Path
    >>> from difftem.scene.files.coordinates import read_coordinates
    >>> _ = Path("places.csv").write_text("x,y,z,phi,theta,psi\n10,20,0,0,0,90\n")  # Å and degrees
    >>> (poses,) = read_coordinates("places.csv", particle="ribosome")
    >>> poses.particle, poses.positions.tolist()
    ('ribosome', [[10.0, 20.0, 0.0]])
    >>> [round(each) for each in poses.rotations[0, :, 0].tolist()]  # x goes to y
    [0, 1, 0]
    """
    suffix = unpacked_suffix(path)
    if suffix == ".star":
        return _within_reach(
            path,
            read_relion_particles(
                path,
                particle=particle,
                pixel_size=pixel_size,
                shape=shape,
                image=image,
                coordinates_pixel_size=coordinates_pixel_size,
                tomogram_size=tomogram_size,
            ),
        )
    if image is not None:
        raise input_error(path, f"image {image!r} cannot be chosen: only STAR files name images")
    options = {"coordinates_pixel_size": coordinates_pixel_size, "tomogram_size": tomogram_size}
    for option, value in options.items():
        if value is not None:
            raise input_error(path, f"{option} does not apply: only STAR files count pixels")
    if suffix == ".csv":
        return _within_reach(path, _read_csv(path, particle))
    table = read_text_matrix(path, min_columns=6)
    more = [f"columns 7 to {table.shape[1]}"] if table.shape[1] > 6 else []
    taken = [counted(len(table), "row"), "x y z in nm", "phi theta psi in degrees"]
    give_account(path, taken, more)
    places = (_NM * table[:, :3]).contiguous()
    poses = ParticlePoses(particle, places, rotation_from_tem_simulator(table[:, 3:6]))
    return _within_reach(path, (poses,))


def _within_reach(path: str | Path, poses: tuple[ParticlePoses, ...]) -> tuple[ParticlePoses, ...]:
    """Refuse places that are no places on a grid."""
    for each in poses:
        beyond = ~(each.positions.abs() <= _REACH).all(-1)
        if bool(beyond.any()):
            x, y, z = each.positions[beyond][0].tolist()
            raise input_error(
                path,
                f"a particle at ({x:.4g}, {y:.4g}, {z:.4g}) Å, at most {_REACH:g} Å (a grid's "
                "diameter) from the middle are allowed; are the coordinates in Å, or in pixels?",
            )
    return poses


def write_coordinates_csv(
    path: str | Path,
    scene: Scene,
    seen: Tensor | None = None,  # (n, 2) Å
    *,
    overwrite: bool = False,
) -> None:
    """Write all copies of a scene as CSV: particle, x, y, z in Å, phi, theta, psi in degrees.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    scene : Scene
        What is where.
    seen : Tensor, optional
        Where the image shows the copies, x and y in Å, if a tilted beam has moved it: those are
        x and y then, and sample_x, sample_y are the places in the sample.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.coordinates import write_coordinates_csv
    >>> from difftem.scene.poses import ParticlePoses, Scene
    >>> places = torch.tensor([[10.0, 20.0, 0.0]]).double(), torch.eye(3)[None].double()
    >>> scene = Scene((ParticlePoses("ribosome", *places),), box=(1000.0, 1000.0, 300.0))
    >>> write_coordinates_csv("scene.csv", scene)
    >>> with open("scene.csv") as file:
    ...     print(file.read(), end="")
    particle,x,y,z,phi,theta,psi
    ribosome,10.000000,20.000000,0.000000,0.000000,0.000000,0.000000
    """
    names = scene.particles()
    x, y, z = scene.positions().T
    header = [_NAME, *_PLACE, *_TURN]
    columns = [
        [names[i] for i in scene.types().tolist()],
        *map(decimals, (*(seen.T if seen is not None else (x, y)), z)),
        *map(decimals, tem_simulator_from_rotation(scene.rotations()).T),
    ]
    if seen is not None:
        header += _SAMPLE
        columns += [decimals(x), decimals(y)]
    lines = [",".join(header), *map(",".join, zip(*columns, strict=True))]
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _read_csv(path: str | Path, particle: str) -> tuple[ParticlePoses, ...]:
    """Read copies from a table with a header."""
    table = read_delimited(path, "x, y, z")
    header = table.names
    if missing := [name for name in _PLACE if name not in header]:
        raise input_error(
            path, f"no column {', '.join(missing)}, the header has {', '.join(header)}"
        )
    if foreign := [name for name in _RELION if name in header]:
        raise input_error(
            path,
            f"column {', '.join(foreign)}: angles are phi, theta, psi here, with "
            "R = Rz(psi) Rx(theta) Rz(phi); RELION's rot, tilt, psi belong into a STAR file",
        )
    turned = [name for name in _TURN if name in header]
    if turned and len(turned) < len(_TURN):
        raise input_error(path, f"needs phi, theta and psi or none, has {', '.join(turned)}")
    if not table.rows:
        raise input_error(path, "has a header and no rows")
    if not turned:
        logger.warning("%s has no %s: taken as 0", Path(path).name, ", ".join(_TURN))
    place = (*_SAMPLE, "z") if all(name in header for name in _SAMPLE) else _PLACE
    wanted = [header.index(name) for name in (*place, *turned)]
    rows, names = [], []
    for number, cells in table.rows:
        rows.append([table.number(number, header[i], cells[i]) for i in wanted])
        names.append((cells[header.index(_NAME)] if _NAME in header else "") or particle)
        if not is_name(names[-1]):
            raise input_error(path, f"line {number}: {names[-1]!r} has blanks, quotes or commas")
    taken = [counted(len(rows), "row"), f"{' '.join(place)} in Å"]
    taken += [f"{' '.join(turned)} in degrees"] if turned else []
    taken += [_NAME] if _NAME in header else []
    taken += [f"values between {table.delimiter}"] if table.delimiter != "commas" else []
    unused = [name for name in header if name and name not in (*place, *_TURN, _NAME)]
    give_account(path, taken, [f"column {', '.join(unused)}"] if unused else [])
    values = torch.tensor(rows, dtype=torch.float64)
    angles = values[:, 3:] if turned else torch.zeros(len(rows), 3, dtype=torch.float64)
    return _by_name(names, values[:, :3].contiguous(), rotation_from_tem_simulator(angles))


def _by_name(names: list[str], positions: Tensor, rotations: Tensor) -> tuple[ParticlePoses, ...]:
    """One entry per name, in the order of their first row."""
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        rows.setdefault(name, []).append(i)
    return tuple(ParticlePoses(name, positions[i], rotations[i]) for name, i in rows.items())
