"""Noisy images of clean ones, the same whenever seed, epoch and number are the same."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import Dataset

from difftem.data.camera import draw_read_noise, draw_transfer
from difftem.data.random_textures import random_texture
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.functional.poisson import sample_poisson
from difftem.functional.structured_ice import draw_ice_contrast
from difftem.functional.wiener import wiener_estimate
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.bank.bank import Bank
from difftem.simulation.bank.config import KINDS
from difftem.simulation.seed import item_seed
from difftem.units import nm_to_angstrom

TEXTURE = len(KINDS)  # number of the kind beyond those of a bank
KIND_NAMES = (*KINDS, "texture")


@dataclass(frozen=True)
class NoiseRecipe:
    """What is drawn on the fly.

    Attributes
    ----------
    electrons : tuple of float
        Limits of the electrons per pixel, drawn log-uniformly.
    textures : float
        Share of the images that show random textures instead of an item of the bank.
    ice : bool
        Whether there is structured ice.
    smooth_ice : float
        Share of the images in ice whose ice shows no structure: plastic sections, simulations.
    ice_in_target : bool
        Whether the target shows it.
    gradients : float
        Share of the images whose brightness varies over the field, by up to 15 %.
    noisy_target : bool
        Whether the target is another exposure of what it would show without noise.
    """

    electrons: tuple[float, float] = (0.5, 200.0)
    textures: float = 0.15
    ice: bool = True
    smooth_ice: float = 0.15
    ice_in_target: bool = False
    gradients: float = 0.3
    noisy_target: bool = False


class NoisyItems(Dataset[dict[str, Tensor]]):
    """Pairs of noisy and clean images.

    An index is ``(epoch, number)``: number counts `items`, and epoch with it decides the noise.

    Parameters
    ----------
    bank : Bank
        Clean micrographs.
    items : list of (int, float or None)
        Numbers in the bank, and electrons per pixel, None to draw them.
    seed : int
        Of all noise.
    recipe : NoiseRecipe
        What is drawn.
    """

    def __init__(
        self,
        bank: Bank,
        items: list[tuple[int, float | None]],
        seed: int,
        recipe: NoiseRecipe,
    ) -> None:
        self.bank, self.items, self.seed, self.recipe = bank, items, seed, recipe

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: tuple[int, int]) -> dict[str, Tensor]:
        epoch, number = index
        item, electrons = self.items[number]
        seed = item_seed(self.seed, number, f"noise of epoch {epoch}")
        draw = Draw(torch.Generator().manual_seed(seed))
        recipe = self.recipe
        wanted = draw.log_uniform(*recipe.electrons) if electrons is None else electrons
        if draw.chance(recipe.textures):
            side = self.bank.config.size
            facts: dict[str, Any] = {"kind": "texture", "pixel_size": draw.log_uniform(0.6, 6.0)}
            clean, ice = random_texture((side, side), draw), None
        else:
            contrast, facts = self.bank.read(item)
            clean = contrast.float()
            structured = recipe.ice and not draw.chance(recipe.smooth_ice)
            ice = draw_ice(facts, clean.shape, wanted, draw) if structured else None
        if draw.chance(recipe.gradients):
            clean = (1 + clean) * (1 + uneven_brightness(clean.shape, draw)) - 1
        transfer = draw_transfer((clean.shape[0], clean.shape[1]), draw)
        read_noise = draw_read_noise(wanted, draw)
        image = expose(
            clean,
            ice,
            transfer,
            wanted,
            read_noise,
            draw,
            recipe.ice_in_target,
            recipe.noisy_target,
        )
        kind = KIND_NAMES.index(facts["kind"])
        return {
            **image,
            "kind": torch.tensor(kind),
            "pixel_size": torch.tensor(facts["pixel_size"], dtype=torch.float32),
        }


def expose(
    clean: Tensor,  # (y, x) contrast
    ice: Tensor | None,  # (y, x) contrast
    transfer: Tensor | None,  # (y, x // 2 + 1)
    electrons: float,
    read_noise: float,  # electrons
    draw: Draw,
    ice_in_target: bool = False,
    noisy_target: bool = False,
) -> dict[str, Tensor]:
    r"""Expose a clean image and whiten it by its own mean.

    .. math:: C \sim \text{Poisson}\left(m (1 + T * (c + s))\right) + \sigma n, \qquad
              x = \frac{C - m'}{\sqrt{m' + \sigma^2}}

    with the image's own mean m'. Its expected value is the target, without the ice s unless that
    is asked for; or the target is another exposure of that, with noise of variance 1 of its own.

    Returns
    -------
    dict
        ``noisy``, ``wiener``, ``target``, each ``(1, y, x)``, and ``electrons``, those of an image
        without readout that is as noisy; of a noisy target also ``clean``, its expected value.
    """
    whole = clean if ice is None else clean + ice
    rate = _rate(whole, transfer)
    counts = _counted(rate, electrons, read_noise, draw)
    mean = max(float(counts.double().mean()), 1e-3)
    level = math.sqrt(mean + read_noise**2)
    noisy = (counts - mean) / level
    shown = rate
    if ice is not None and not ice_in_target:
        shown = _rate(clean, transfer)
    target = (mean / level) * (shown / shown.mean() - 1)
    others: dict[str, Tensor] = {}
    if noisy_target:
        others["clean"] = target[None]
        again = _counted(shown * (rate.mean() / shown.mean()), electrons, read_noise, draw)
        target = (again - again.mean()) / level
    return {
        "noisy": noisy[None],
        "wiener": wiener_estimate(noisy)[None],
        "target": target[None],
        "electrons": torch.tensor((mean / level) ** 2, dtype=torch.float32),
        **others,
    }


def _rate(
    contrast: Tensor,  # (y, x)
    transfer: Tensor | None,  # (y, x // 2 + 1); None of a perfect detector
) -> Tensor:  # (y, x)
    """Electrons in units of those without a specimen."""
    seen = contrast if transfer is None else apply_transfer(contrast, transfer)
    return (1 + seen).clamp(min=0)


def _counted(rate: Tensor, electrons: float, read_noise: float, draw: Draw) -> Tensor:  # (y, x)
    """Count electrons and read them out."""
    counts = sample_poisson(electrons * rate, generator=draw.generator)
    if read_noise > 0:
        counts = counts + read_noise * torch.randn(counts.shape, generator=draw.generator)
    return counts


def draw_ice(
    facts: dict[str, Any], shape: torch.Size, electrons: float, draw: Draw
) -> Tensor | None:  # (y, x)
    """Structured ice as the item's microscope sees it; None in vacuum."""
    if not facts["ice_nm"]:
        return None
    microscope, pixel = facts["microscope"], facts["pixel_size"]
    size = (shape[0], shape[1])
    q = radius(frequency_grid(size, pixel, half=True, dtype=torch.float32))
    return draw_ice_contrast(
        size,
        pixel,
        thickness=nm_to_angstrom(facts["ice_nm"]),
        defocus_um=microscope["defocus_um"],
        cs_mm=microscope["cs_mm"],
        voltage_kv=microscope["voltage_kv"],
        amplitude_contrast=microscope["amplitude_contrast"],
        exposure=electrons / pixel**2,
        envelope=torch.exp(-(facts["b_factor"] + 4.0) / 4 * q**2),
        generator=draw.generator,
    )


def uneven_brightness(shape: torch.Size, draw: Draw) -> Tensor:  # (y, x)
    """Smooth relative change of brightness over the field: ice of uneven thickness."""
    nodes = draw.numbers(1, 1, draw.integer(2, 4), draw.integer(2, 4)).float() - 0.5
    size = (shape[0], shape[1])
    smooth = interpolate(nodes, size=size, mode="bicubic", align_corners=True)[0, 0]
    return draw.log_uniform(0.01, 0.3) * (smooth - smooth.mean())
