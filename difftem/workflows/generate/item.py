"""One item of a generated set on disk: whole, or not there."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import torch

import difftem
from difftem.io.claimed import temporary_path
from difftem.io.mrc import write_mrc, write_rawtlt
from difftem.scene.files.coordinates import write_coordinates_csv
from difftem.scene.files.labels import label_mask
from difftem.scene.files.relion_tilt_series import TiltSeries, write_relion_tilt_series
from difftem.scene.files.relion_write import write_relion_particles
from difftem.simulation.image_truth import image_truth
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.scene_microscope import SceneMicrograph

RECORD = "run.json"


def item_folder(output: Path, index: int) -> Path:
    """Folder of one item."""
    return output / f"{index:06d}"


def is_finished(output: Path, index: int) -> bool:
    """Whether an item is there; a folder gets its name when everything is in it."""
    return (item_folder(output, index) / RECORD).is_file()


def write_item(
    output: Path, item: SceneMicrograph, config: SceneConfig, radii: dict[str, float]
) -> Path:
    """Write images and truth of one item, all or nothing.

    Parameters
    ----------
    output : Path
        Folder of the set.
    item : SceneMicrograph
        What to write.
    config : SceneConfig
        How it was made.
    radii : dict of str to float
        Of the particles in Å, for the label mask.

    Returns
    -------
    Path
        The item's folder.
    """
    folder = item_folder(output, item.index)
    staging = temporary_path(folder)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        _write_images(staging, item, config)
        _write_truth(staging, folder.name, item, config, radii)
        _write_record(staging / RECORD, item, config)
        if folder.exists():  # left by a program that did not write this way
            shutil.rmtree(folder)
        os.replace(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _write_images(folder: Path, item: SceneMicrograph, config: SceneConfig) -> None:
    """Write stacks, tilt angles and the picture."""
    # At the top it would load the library for plots.
    from difftem.simulation.preview import draw_preview, image_title, save_figure

    pixel_size, tilts = config.sampling.pixel_size, config.exposure.tilts_deg
    drawn = item.conditions
    conditions = (
        f"{config.microscope.voltage_kv:g} kV, defocus {drawn.defocus_um:.3f} um, "
        f"{drawn.dose_e_per_a2:.3g} e/A2, {config.detector.preset}, seed {config.seed}"
    )
    labels = [f"difftem {difftem.__version__}, micrograph {item.index}", conditions[:80]]
    for name, images in (("micrograph", item.micrographs), ("noise_free", item.noise_free)):
        array = images.numpy()
        write_mrc(folder / f"{name}.mrc", array if len(tilts) > 1 else array[0], pixel_size, labels)
    if len(tilts) > 1:
        write_rawtlt(folder / "micrograph.rawtlt", tilts)
    counts = ", ".join(f"{n} {name}" for name, n in item.scene.counts().items())
    middle = len(tilts) // 2
    title = f"{counts}: {conditions}".replace("A2", "Å²").replace(" um", " µm")
    figure = draw_preview(
        item.noise_free[middle],
        item.micrographs[middle],
        pixel_size,
        title,
        image_title(middle, tilts),
    )
    save_figure(figure, folder / "preview.png")


def _write_truth(
    folder: Path,
    name: str,
    item: SceneMicrograph,
    config: SceneConfig,
    radii: dict[str, float],
) -> None:
    """Write where everything is: CSV, STAR, and which pixel belongs to what."""
    pixel_size, tilts = config.sampling.pixel_size, config.exposure.tilts_deg
    nx, ny = config.sampling.size
    scene = item.scene
    drawn = dataclasses.replace(config.microscope, defocus_um=item.conditions.defocus_um)
    truth = image_truth(drawn, config.ice.present, pixel_size)
    single = len(tilts) == 1 and tilts[0] == 0
    seen = truth.moved_by_beam(scene) if single else None
    write_coordinates_csv(folder / "particles.csv", scene, seen)
    image = f"{name}/micrograph.mrc"
    if single:
        write_relion_particles(
            folder / "particles.star", scene, truth.optics, (ny, nx), image, truth.defocus, seen
        )
    else:
        n = len(tilts)
        series = TiltSeries(
            truth.rotations(item.rotations),
            item.shifts + truth.shift,
            torch.tensor(tilts, dtype=torch.float64),
            item.conditions.dose_e_per_a2 * torch.arange(n, dtype=torch.float64),
            (truth.defocus,) * n,
        )
        write_relion_tilt_series(
            folder, f"series_{name}", scene, series, truth.optics, (ny, nx), "micrograph.mrc"
        )
    sizes, types = scene.radii(radii), scene.types() + 1
    masks = [
        label_mask(
            truth.seen(scene.positions() @ rotation.T + torch.nn.functional.pad(shift, (0, 1))),
            sizes,
            types,
            (ny, nx),
            pixel_size,
        )
        for rotation, shift in zip(item.rotations, item.shifts, strict=True)
    ]
    stack = torch.stack(masks) if len(masks) > 1 else masks[0]
    legend = [f"{i} = {name}" for i, name in enumerate(scene.particles(), start=1)]
    write_mrc(folder / "labels.mrc", stack.numpy(), pixel_size, ["0 = ice", *legend][:10])


def _write_record(path: Path, item: SceneMicrograph, config: SceneConfig) -> None:
    """Write what was drawn; the same for the same item, whoever made it and when."""
    record = {
        "index": item.index,
        "seed": config.seed,
        **dataclasses.asdict(item.conditions),
        "counts": item.scene.counts(),
        "n_slices": item.n_slices,
        "mean_expected_counts_per_pixel": round(item.mean_counts, 6),
    }
    path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", "utf-8")
