"""Write where everything is: CSV, STAR, and which pixel belongs to what."""

from pathlib import Path

import torch

from difftem.io.mrc import write_mrc
from difftem.scene.files.coordinates import write_coordinates_csv
from difftem.scene.files.imod import aligned, write_tlt, write_xf
from difftem.scene.files.labels import label_mask
from difftem.scene.files.mdoc import SeriesAcquisition, write_mdoc
from difftem.scene.files.relion_micrographs import write_relion_micrographs
from difftem.scene.files.relion_tilt_series import TiltSeries, write_relion_tilt_series
from difftem.scene.files.relion_write import write_relion_particles
from difftem.units import angstrom_to_um
from difftem.workflows.truth.imaged_scene import ImagedScene, stack_name

TRUTH_FILES = ("particles.csv", "particles.star", "micrographs.star", "tomograms.star")
ALIGNMENT = (".tlt", ".xf", ".mdoc")  # of a tilt series, beside its stack
MAX_LABELS = 9  # names of particles in the header of a label image, beside that of ice


def write_truth(folder: Path, made: ImagedScene, image: str, inside: str = "") -> None:
    """Write all that is always written.

    Parameters
    ----------
    folder : Path
        Where to; exists, without these files.
    made : ImagedScene
        What is known.
    image : str
        Name of the file of images in the folder.
    inside : str
        Name of that folder, with a slash, as RELION's tables of micrographs are to have it.
    """
    single = not made.is_series
    seen = made.truth.moved_by_beam(made.scene) if single else None
    write_coordinates_csv(folder / "particles.csv", made.scene, seen)
    optics, defocus = made.truth.optics, made.truth.defocus
    if single:
        # Of several exposures the first; ':mrcs' tells RELION that a .mrc file is a stack.
        name = f"{inside}{image}"
        if made.exposures > 1:
            name = f"1@{name}:mrcs" if name.endswith(".mrc") else f"1@{name}"
        write_relion_particles(
            folder / "particles.star", made.scene, optics, made.shape, name, defocus, seen
        )
        write_relion_micrographs(folder / "micrographs.star", optics, defocus, name)
    else:
        n = len(made.tilts_deg)
        series = TiltSeries(
            made.truth.rotations(made.rotations),
            made.shifts + made.truth.shift,
            torch.tensor(made.tilts_deg, dtype=torch.float64),
            made.dose_e_per_a2 * made.exposures * torch.arange(n, dtype=torch.float64),
            (defocus,) * n,
        )
        write_relion_tilt_series(
            folder, made.name, made.scene, series, optics, made.shape, image, made.exposures
        )
        _write_alignment(folder, made, image)
    write_labels(folder / stack_name("labels", made.tilts_deg), made)


def _write_alignment(folder: Path, made: ImagedScene, image: str) -> None:
    """Write what IMOD and SerialEM say of a tilt series, for every image of the stack."""
    stem = Path(image).stem
    times = made.exposures
    rotations = made.truth.rotations(made.rotations).repeat_interleave(times, 0)
    shifts = (made.shifts + made.truth.shift).repeat_interleave(times, 0)
    tilts, turns = aligned(rotations, made.tilt_axis_deg)
    write_tlt(folder / f"{stem}.tlt", tilts)
    write_xf(folder / f"{stem}.xf", turns, shifts / made.pixel_size, made.shape)
    defocus = made.truth.defocus
    acquisition = SeriesAcquisition(
        image,
        made.shape,
        made.pixel_size,
        made.truth.optics.voltage_kv,
        made.tilts_deg,
        made.dose_e_per_a2,
        angstrom_to_um((defocus.u + defocus.v) / 2),
        made.tilt_axis_deg,
        times,
    )
    write_mdoc(folder / f"{stem}.mdoc", acquisition)


def write_labels(path: Path, made: ImagedScene, instances: bool = False) -> None:
    """Write which kind of particle, or which copy, each pixel shows; 0 is ice.

    Parameters
    ----------
    path : Path
        To write.
    made : ImagedScene
        What is known.
    instances : bool
        Number the copies from 1, in the order of particles.csv, instead of the kinds.
    """
    scene = made.scene
    numbers = torch.arange(len(scene)) + 1 if instances else scene.types() + 1
    masks = [
        label_mask(made.seen(tilt), scene.radii(made.radii), numbers, made.shape, made.pixel_size)
        for tilt in range(len(made.tilts_deg))
    ]
    legend = [f"{i} = {name}"[:80] for i, name in enumerate(scene.particles(), start=1)]
    lines = ["i = row i of particles.csv"] if instances else legend[:MAX_LABELS]
    stack = torch.stack(masks) if made.is_series else masks[0]
    write_mrc(path, stack.numpy(), made.pixel_size, ["0 = ice", *lines])
