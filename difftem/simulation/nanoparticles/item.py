"""One model of a set: its images, what decided them, and where its columns are."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.scene.nanoparticle.nanoparticle import Nanoparticle, draw_nanoparticle, tilted
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.nanoparticles.columns import ProjectedColumns, projected_columns
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.contrast import bright_share, contrast_class
from difftem.simulation.nanoparticles.exit_wave import exit_waves
from difftem.simulation.nanoparticles.focus_series import focus_series
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging
from difftem.simulation.seed import item_seed

Row = dict[str, float | int | str]
_HEAVY = 20  # atomic number: columns of oxygen do not decide what an image is called


@dataclass(frozen=True)
class ImagedModel:
    """A model's images.

    Attributes
    ----------
    images : Tensor
        Intensity, 1 in vacuum, shape ``(n, size, size)``.
    rows : list of dict
        One line of the manifest for each image.
    columns : ProjectedColumns
        Of all of them.
    """

    images: Tensor
    rows: list[Row]
    columns: ProjectedColumns


def model_seed(config: NanoparticleSetConfig, index: int, attempt: int = 0) -> int:
    """Seed of a model, and of those that are drawn where it is like another one."""
    return item_seed(config.seed, index, f"nanoparticle {attempt}".removesuffix(" 0"))


def image_model(config: NanoparticleSetConfig, index: int, seed: int | None = None) -> ImagedModel:
    """Draw a model of a set and take its images; recipe and number decide all of it.

    Parameters
    ----------
    config : NanoparticleSetConfig
        The recipe.
    index : int
        Number of the model.
    seed : int, optional
        Of the model. Default: that of the first attempt.

    Returns
    -------
    ImagedModel
        The images' numbers follow one another.
    """
    imaging = config.imaging
    model = draw_nanoparticle(config.models, model_seed(config, index) if seed is None else seed)
    generator = torch.Generator().manual_seed(item_seed(config.seed, index, "imaging"))
    draw = Draw(generator)
    defoci = draw_defoci(imaging, draw)
    blurs = [draw.uniform(*imaging.blur) for _ in defoci]
    images, columns = take_images(model, imaging, defoci, blurs, generator)
    rows: list[Row] = []
    for i, image in enumerate(images):
        share = bright_share(
            image, columns.positions[columns.atomic_numbers > _HEAVY], imaging.pixel_size
        )
        rows.append(
            {
                "image": index * imaging.n_defocus + i,
                "model": index,
                "split": config.split(index),
                "contrast": contrast_class(share),
                "bright_share": share,
                "defocus_um": defoci[i],
                "blur": blurs[i],
                "mean": float(image.double().mean()),
                **model.parameters,
            }
        )
    return ImagedModel(images, rows, columns)


def take_images(
    model: Nanoparticle,
    imaging: NanoparticleImaging,
    defoci_um: list[float],
    blurs: list[float],
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ProjectedColumns]:  # (n, size, size)
    """Tilt a model as it says and take its focus series.

    Parameters
    ----------
    model : Nanoparticle
        Untilted.
    imaging : NanoparticleImaging
        The microscope.
    defoci_um, blurs : list of float
        Of each image: underfocus from the support's exit surface in µm, blur in Å.
    generator : torch.Generator, optional
        Of frozen phonons.

    Returns
    -------
    images : Tensor
        Intensity, 1 in vacuum, shape ``(n, size, size)``.
    columns : ProjectedColumns
        In pixels of the images.
    """
    angles = (float(model.parameters[f"tilt_{axis}_deg"]) for axis in "xy")
    seen = tilted(model, *angles)
    surface = float(model.parameters["thickness"]) / 2
    waves = exit_waves(seen.atoms, imaging, generator)
    images = focus_series(waves, defoci_um, blurs, imaging, surface)
    return images, projected_columns(seen.columns, imaging)


def draw_defoci(imaging: NanoparticleImaging, draw: Draw) -> list[float]:
    """Defoci in µm: one in each of equal parts of the range, or the range in equal steps."""
    (low, high), n = imaging.defocus_um, imaging.n_defocus
    if imaging.spread_defocus:
        return [low + (high - low) * (i + draw.uniform(0.0, 1.0)) / n for i in range(n)]
    return [low + (high - low) * i / max(1, n - 1) for i in range(n)]
