"""Tilt series, denoised image by image and kept, and reconstructions of them."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import difftem
from difftem.baselines.topaz import run_topaz, topaz_model
from difftem.baselines.topaz_environment import find_topaz
from difftem.io.mrc import read_mrc, write_mrc
from experiments._base.denoisers import NamedDenoiser
from experiments._base.score_cache import digest
from experiments._base.users_methods import users_methods
from experiments.tomography.scene import TrueSeries

NOISY, NOISE_FREE = "noisy", "noise-free"
TOPAZ = "topaz_trained"  # called once for all images, as its start takes longer than one of them


def series_methods(names: list[str]) -> list[NamedDenoiser]:
    """Methods by name, and with them the images as they are."""
    found = {each.name: each for each in users_methods([n for n in names if n != NOISY])}
    found[NOISY] = NamedDenoiser(NOISY, NOISY, lambda exposures, *_: exposures[0])
    if TOPAZ in found:
        try:
            find_topaz()
        except ValueError as error:
            print(f"{TOPAZ}: {error}: left out")
            del found[TOPAZ]
    return [found[name] for name in names if name in found]


def strip(images: Tensor, rows: int | None) -> Tensor:  # (..., rows, x)
    """Middle rows, so that row n // 2 stays at n // 2."""
    first = 0 if rows is None else images.shape[-2] // 2 - rows // 2
    return images if rows is None else images[..., first : first + rows, :]


def contrast(
    denoiser: NamedDenoiser, series: TrueSeries, runs: Path, rows: int | None = None
) -> Tensor:  # (n_tilts, y, x)
    """Denoise every image by itself: what is above or below its mean, over the mean.

    Each is whitened by its own mean number of electrons, which falls with the tilt as the ice grows
    thicker.

    Parameters
    ----------
    denoiser : NamedDenoiser
        The method.
    series : TrueSeries
        With the images.
    runs : Path
        Folder where results are kept.
    rows : int, optional
        Only so many, in the middle.
    """
    name = f"denoised_{digest(denoiser.key, series.folder.parent.name, rows)}.npy"
    path = runs / name
    if path.is_file():
        return torch.from_numpy(np.load(path))
    images = strip(series.images, rows)
    electrons = images.mean((1, 2))
    root = electrons.sqrt()[:, None, None]
    white = (images - root.square()) / root
    if denoiser.name == TOPAZ:
        found = _topaz(white)
    else:
        found = torch.stack(
            [
                denoiser.run(
                    image[None], float(mean), torch.Generator().manual_seed(i), series.pixel_size
                ).float()
                for i, (image, mean) in enumerate(zip(white, electrons, strict=True))
            ]
        )
    found = found / root
    np.save(path, found.numpy())
    return found


def noise_free_contrast(series: TrueSeries, rows: int | None = None) -> Tensor:
    """Contrast that perfect denoising would give."""
    images = strip(series.noise_free, rows)
    return images / images.mean((1, 2), keepdim=True) - 1


def reconstructed(
    contrasts: Tensor,  # (n_tilts, y, x)
    series: TrueSeries,
    thickness: int,
    method: str,
    setting: float,
    config: dict[str, Any],
) -> Tensor:  # (z, y, x)
    """Reconstruct as `difftem reconstruct` does: from a file of images and the series' geometry."""
    options: dict[str, Any] = {"cutoff": setting, "falloff": config["falloff"]}
    if method == "sirt":
        options = {"iterations": int(setting)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "denoised.mrcs"
        write_mrc(path, contrasts.numpy(), series.pixel_size)
        return difftem.reconstruct(
            path,
            angles=series.folder / "tomograms.star",
            method=method,  # type: ignore[arg-type]
            thickness=thickness,
            **options,
        ).volume


def _topaz(white: Tensor) -> Tensor:  # (n, y, x)
    """Let Topaz denoise all images in one call, each by itself and as a whole."""
    names = [f"{i:03d}.mrc" for i in range(len(white))]
    with tempfile.TemporaryDirectory() as folder:
        for name, image in zip(names, white, strict=True):
            write_mrc(Path(folder) / name, image.numpy(), 1.0)
        words = ["denoise", *names, "-o", "out", "-m", str(topaz_model().absolute())]
        run_topaz(find_topaz(), [*words, "-d", "-1", "-s", "0"], folder)
        found = [read_mrc(Path(folder) / "out" / name).data.squeeze().copy() for name in names]
    images = torch.from_numpy(np.stack(found)).float()
    return images - images.mean((1, 2), keepdim=True)
