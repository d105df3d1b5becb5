"""Models of the test set with and without some columns of their particle's surface."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.functional.upsample import fourier_upsample
from difftem.scene.nanoparticle.nanoparticle import Nanoparticle, draw_nanoparticle, tilted
from difftem.simulation.nanoparticles.columns import projected_columns
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.item import take_images
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.simulation.seed import item_seed

UPSAMPLE = 2
_PLATINUM = 78


@dataclass(frozen=True, eq=False)
class Scene:
    """One model, imaged as it is and without some of its columns.

    Attributes
    ----------
    model : int
        Number in the set.
    defocus_um : float
        Underfocus.
    present, absent : Tensor
        Intensities with all columns, and without those of the sites, 1 in vacuum, ``(y, x)``.
    sites : Tensor
        x and y of the columns that `absent` lacks, pixels, shape ``(n, 2)``.
    atoms : Tensor
        Their atoms, shape ``(n,)``.
    columns : Tensor
        x and y of all heavy columns, pixels, shape ``(m, 2)``.
    surface : Tensor
        Which of these are next to vacuum, shape ``(m,)``.
    """

    model: int
    defocus_um: float
    present: Tensor
    absent: Tensor
    sites: Tensor
    atoms: Tensor
    columns: Tensor
    surface: Tensor


def make_scenes(folder: str | Path, config: dict[str, Any]) -> list[Scene]:
    """Simulate models of a set anew, with and without columns; each at one of its white defoci.

    Parameters
    ----------
    folder : str or Path
        Of the set: its recipe and manifest decide models, defoci and blurs.
    config : dict
        Of the experiment.

    Returns
    -------
    list of Scene
        Models without a site are passed over.
    """
    found = NanoparticleSet(folder)
    by_model: dict[int, list[dict[str, Any]]] = {}
    for index in found.split(config["split"]):
        row = found.rows[index]
        if row["contrast"] == "white":
            by_model.setdefault(int(row["model"]), []).append(row)
    scenes: list[Scene] = []
    for turn, model in enumerate(sorted(by_model)):
        rows = by_model[model]
        scene = make_scene(found.config, rows[turn % len(rows)], config)
        if scene is not None:
            scenes.append(scene)
        if len(scenes) == config["models"]:
            break
    return scenes


def make_scene(
    recipe: NanoparticleSetConfig, row: dict[str, Any], config: dict[str, Any]
) -> Scene | None:
    """Image a model of a line of the manifest twice.

    Parameters
    ----------
    recipe : NanoparticleSetConfig
        Of the set.
    row : dict
        Line of the manifest.
    config : dict
        Of the experiment.

    Returns
    -------
    Scene or None
        None of a particle without a column that can be taken out.
    """
    model = int(row["model"])
    whole = draw_nanoparticle(recipe.models, int(row["seed"]))
    imaging = recipe.imaging
    angles = (float(whole.parameters[f"tilt_{axis}_deg"]) for axis in "xy")
    seen = tilted(whole, *angles).columns
    pixel = imaging.pixel_size / UPSAMPLE
    at = UPSAMPLE * (seen.positions / imaging.pixel_size + imaging.size // 2)
    particle = (seen.atomic_numbers == _PLATINUM) & seen.surface
    corner = _corner(at[particle], UPSAMPLE * imaging.size, config["side"])
    draw = torch.Generator().manual_seed(item_seed(config["seed"], model, "sites"))
    chosen = _chosen(at - corner, particle, config, pixel, draw)
    if not chosen:
        return None
    without = _without(whole, torch.tensor(chosen))
    images = []
    for each in (whole, without):
        image, _ = take_images(each, imaging, [float(row["defocus_um"])], [float(row["blur"])])
        fine = 1 + fourier_upsample(image[0] - 1, UPSAMPLE)
        x, y = corner.tolist()
        images.append(fine[y : y + config["side"], x : x + config["side"]])
    heavy = projected_columns(seen, imaging)
    of_heavy = heavy.atomic_numbers > 8
    return Scene(
        model,
        float(row["defocus_um"]),
        images[0],
        images[1],
        (at - corner)[chosen],
        seen.counts[chosen],
        UPSAMPLE * heavy.positions[of_heavy] - corner,
        heavy.surface[of_heavy],
    )


def _corner(surface: Tensor, width: int, side: int) -> Tensor:  # (2,)
    """Corner x, y of a window about the particle, inside the image."""
    middle = (surface.amin(0) + surface.amax(0)) / 2
    return (middle - side / 2).round().clamp(0, width - side).long()


def _chosen(
    positions: Tensor,
    particle: Tensor,
    config: dict[str, Any],
    pixel: float,
    draw: torch.Generator,
) -> list[int]:
    """Draw columns of the particle's surface that are far from each other and from the border."""
    margin = config["window"] / pixel
    inside = ((positions > margin) & (positions < config["side"] - 1 - margin)).all(1)
    candidates = (particle & inside).nonzero()[:, 0]
    order = candidates[torch.randperm(len(candidates), generator=draw)].tolist()
    chosen: list[int] = []
    for index in order:
        apart = (
            (positions[chosen] - positions[index]).norm(dim=1) if chosen else torch.ones(1) * 1e9
        )
        if float(apart.min()) >= config["apart"] / pixel and len(chosen) < config["sites"]:
            chosen.append(index)
    return chosen


def _without(model: Nanoparticle, columns: Tensor) -> Nanoparticle:
    """Take columns out of a model; what it says of them is not used."""
    kept = ~torch.isin(model.columns.of_atom, columns)
    left = dataclasses.replace(model.columns, of_atom=model.columns.of_atom[kept])
    return dataclasses.replace(model, atoms=model.atoms.select(kept), columns=left)
