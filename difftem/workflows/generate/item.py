"""One item of a generated set on disk: whole, or not there."""

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import difftem
from difftem.io.claimed import temporary_path
from difftem.io.image_stack import write_stack
from difftem.io.mrc import write_rawtlt
from difftem.scene.templates.template import Template
from difftem.simulation.image_truth import image_truth
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.scene_microscope import SceneMicrograph
from difftem.workflows.truth.imaged_scene import ImagedScene, is_series, stack_name
from difftem.workflows.truth.on_demand import write_on_demand
from difftem.workflows.truth.write_truth import write_truth

RECORD = "run.json"


def item_folder(output: Path, index: int) -> Path:
    """Folder of one item."""
    return output / f"{index:06d}"


def micrograph_name(index: int, config: SceneConfig) -> str:
    """File of an item's images; every item has a name of its own, by which pickers know it."""
    stem = f"micrograph_{index:06d}"
    return stack_name(stem, config.exposure.tilts_deg, config.files.format)


def is_finished(output: Path, index: int) -> bool:
    """Whether an item is there; a folder gets its name when everything is in it."""
    return (item_folder(output, index) / RECORD).is_file()


def write_item(
    output: Path,
    item: SceneMicrograph,
    config: SceneConfig,
    radii: dict[str, float],
    inputs: Sequence[str] = (),
    templates: Mapping[str, Template] | None = None,
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
    inputs : sequence of str
        What was taken from each file and what was left, for the record.
    templates : mapping of str to Template, optional
        Of the particles, where `config.truth` asks for volumes.

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
        image = micrograph_name(item.index, config)
        made, inside = imaged_scene(item, config, radii, templates or {}), f"{folder.name}/"
        write_truth(staging, made, image, inside)
        write_on_demand(staging, made, image, item.micrographs[0], config.truth, inside)
        _write_record(staging / RECORD, item, config, inputs)
        if folder.exists():  # without a record: no whole item
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
    micrograph = micrograph_name(item.index, config)
    clean = stack_name("noise_free", tilts, config.files.format)
    axes = ("tilt", "y", "x") if is_series(tilts) else ("y", "x")
    known = {"unit": "grey value", "tilt_deg": tilts, "defocus_um": drawn.defocus_um}
    for name, images in ((micrograph, item.micrographs), (clean, item.noise_free)):
        array = images.numpy() if is_series(tilts) else images[0].numpy()
        write_stack(folder / name, array, pixel_size, axes, labels, known)
    if is_series(tilts):
        write_rawtlt((folder / micrograph).with_suffix(".rawtlt"), tilts)
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


def imaged_scene(
    item: SceneMicrograph,
    config: SceneConfig,
    radii: Mapping[str, float],
    templates: Mapping[str, Template],
) -> ImagedScene:
    """Gather what files of truth say of an item."""
    nx, ny = config.sampling.size
    return ImagedScene(
        item.scene,
        radii,
        image_truth(item.config.microscope, config.ice.present, config.sampling.pixel_size),
        (ny, nx),
        config.exposure.tilts_deg,
        item.rotations,
        item.shifts,
        item.config.exposure.tilt_axis_deg,
        item.conditions.dose_e_per_a2,
        1,
        f"series_{item.index:06d}",
        templates,
    )


def _write_record(
    path: Path, item: SceneMicrograph, config: SceneConfig, inputs: Sequence[str]
) -> None:
    """Write what was drawn; the same for the same item, whoever made it and when."""
    record = {
        "index": item.index,
        "seed": config.seed,
        **dataclasses.asdict(item.conditions),
        "varied": item.varied,
        "counts": item.scene.counts(),
        "n_slices": item.n_slices,
        "mean_expected_counts_per_pixel": round(item.mean_counts, 6),
        "inputs": list(inputs),
    }
    path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", "utf-8")
