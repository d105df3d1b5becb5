"""Focus series: all images of a specimen from its exit wave."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from difftem.functional.grid import crop_center, frequency_grid
from difftem.modules.beam import Beam
from difftem.modules.lens import Lens
from difftem.simulation.nanoparticles.exit_wave import ExitWaves
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging


def focus_series(
    exit_waves: ExitWaves,
    defoci_um: Sequence[float],
    blurs: Sequence[float],
    imaging: NanoparticleImaging,
    reference: float = 0.0,
) -> Tensor:  # (n, size, size)
    r"""Image a specimen at several defoci.

    The image is summed over the spread of focus and the directions of the source, and not damped
    on the wave, which would lose what is scattered far; then it is blurred, and its margin is cut
    off:

    .. math:: I = g_b * \sum_k w_k \left| \mathcal F^{-1} \left[ \hat\psi(\mathbf q)
              e^{-i\chi(\mathbf q + \mathbf t_k / \lambda; \Delta f + f_k)} \right] \right|^2

    Parameters
    ----------
    exit_waves : ExitWaves
        Of one configuration, or of several whose images are averaged.
    defoci_um : sequence of float
        Underfocus of each image in µm; overfocus is negative.
    blurs : sequence of float
        Standard deviation of each image's blur along each axis in Å.
    imaging : NanoparticleImaging
        The lens.
    reference : float
        Height in Å, in the atoms' coordinates, of the plane that defocus is counted from.

    Returns
    -------
    Tensor
        Intensity relative to the beam: 1 in vacuum; float32.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), section 3.3.
    """
    lens = Lens(
        imaging.pixel_size,
        torch.tensor(list(defoci_um), dtype=torch.float64),
        imaging.cs_mm,
        cc_mm=imaging.cc_mm,
        energy_spread_ev=imaging.energy_spread_ev,
        source_semiangle_mrad=imaging.source_semiangle_mrad,
        coherence="sum",
        n_focus=imaging.focus_nodes,
        n_source=imaging.source_nodes,
    )
    beam, offset = Beam(imaging.voltage_kv), exit_waves.height - reference
    total: Tensor | float = 0.0
    with torch.no_grad():
        for wave in exit_waves.waves:
            total = total + lens.intensity(wave, beam, offset) / len(exit_waves.waves)
        blurred = blur(torch.as_tensor(total), torch.tensor(list(blurs)), imaging.pixel_size)
    return crop_center(blurred, (imaging.size, imaging.size)).contiguous()


def blur(
    images: Tensor,  # (n, y, x)
    deviations: Tensor,  # (n,) Å
    pixel_size: float,  # Å
) -> Tensor:  # (n, y, x)
    r"""Blur images by Gaussians in Fourier space, :math:`e^{-2 \pi^2 b^2 q^2}`."""
    qy, qx = frequency_grid(
        (images.shape[-2], images.shape[-1]), pixel_size, half=True, dtype=images.dtype
    )
    exponent = -2 * math.pi**2 * deviations.to(images).square()[:, None, None]
    spectrum = torch.fft.rfft2(images) * torch.exp(exponent * qy**2) * torch.exp(exponent * qx**2)
    return torch.fft.irfft2(spectrum, s=images.shape[-2:])
