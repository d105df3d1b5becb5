"""Noisy images of clean scenes: ice, camera, electrons; whitened as a user's are."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.functional.structured_ice import draw_ice_contrast
from difftem.modules import Detector, LorentzianMTF
from difftem.units import nm_to_angstrom
from experiments.denoise_simulated.scenes import CleanScene


@dataclass(frozen=True, eq=False)
class NoisyImage:
    """What denoisers are given, and what they should find.

    Attributes
    ----------
    values : Tensor
        Whitened, shape ``(y, x)``.
    truth : Tensor
        Without noise and ice.
    with_ice : Tensor
        Without noise.
    electrons : float
        Per pixel.
    """

    values: Tensor
    truth: Tensor
    with_ice: Tensor
    electrons: float


def noisy_image(
    clean: Tensor,  # (y, x) intensity over its mean
    scene: CleanScene,
    dose: float,  # e/pixel
    seed: int,
) -> NoisyImage:
    """Draw ice and electrons, and whiten what the camera makes of them.

    A camera whose noise is white blurs the signal before it is counted. One whose noise is coloured
    blurs the counts: once its noise is white, so is that blur undone.
    """
    detector = Detector.from_preset(scene.camera)
    shape = (clean.shape[-2], clean.shape[-1])
    generator = torch.Generator().manual_seed(seed)
    ice = draw_ice_contrast(
        shape,
        scene.pixel_size,
        thickness=nm_to_angstrom(scene.ice_nm),
        defocus_um=scene.defocus_um,
        exposure=dose / scene.pixel_size**2,
        generator=generator,
    )
    signal, seen = clean, clean + ice
    if detector.counts_in_one_pixel:
        blur = detector.mtf.transfer(shape, clean).detach()
        signal, seen = apply_transfer(signal, blur), apply_transfer(seen, blur)
    return _counted(signal, seen, dose, generator)


def camera_blurred(
    clean: Tensor,  # (y, x) intensity over its mean
    mtf: dict[str, Any],
    electrons: float,  # per pixel
    seed: int,
) -> tuple[NoisyImage, Tensor]:
    """Draw electrons, and the blur that scores are taken behind: the paper's camera, no ice."""
    blur = LorentzianMTF(**mtf).transfer((clean.shape[-2], clean.shape[-1]), clean).detach()
    return _counted(clean, clean, electrons, torch.Generator().manual_seed(seed)), blur


def _counted(
    signal: Tensor, seen: Tensor, electrons: float, generator: torch.Generator
) -> NoisyImage:
    """Draw electrons of what is seen, and whiten them."""
    root = math.sqrt(electrons)
    counts = torch.poisson(electrons * seen.clamp(min=0.0), generator=generator)
    return NoisyImage(
        (counts - electrons) / root, (signal - 1) * root, (seen - 1) * root, electrons
    )
