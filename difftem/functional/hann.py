"""Images and volumes that fade to their edges, so that these do not leak over the spectrum."""

import math

import torch
from torch import Tensor


def fade_to_edges(
    image: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    r"""Multiply an image without its mean by Hann's window in y and x.

    A Fourier transform takes an image for periodic. The step from one edge to the opposite one puts
    power at all frequencies, the same in two images of one signal: where a denoiser has left
    nothing else they would seem to agree. The window makes what leaks fall with the sixth power of
    the frequency.

    .. math:: w_i = \sqrt{8/3}\, \sin^2 \frac{\pi (i + 1/2)}{n}

    Parameters
    ----------
    image : Tensor
        Shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        White noise keeps its mean power; the sum of all pixels is 0. float64.

    References
    ----------
    Harris, Proc. IEEE 66 (1978) 51, section V.C.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.hann import fade_to_edges
    >>> ramp = torch.arange(64.0).expand(64, 64)  # uneven illumination
    >>> sharp, faded = (torch.fft.rfft2(each)[0, 16].abs() for each in (ramp, fade_to_edges(ramp)))
    >>> bool(faded < 1e-2 * sharp)  # what leaks to half of Nyquist
    True
    """
    window = hann_window((image.shape[-2], image.shape[-1]), image.device)
    image = image.double()
    mean = (image * window).sum((-2, -1), keepdim=True) / window.sum()
    return (image - mean) * window


def hann_window(
    shape: tuple[int, ...],
    device: torch.device | None = None,
) -> Tensor:  # shape
    """Window of `fade_to_edges` along every axis of an image or a volume, its mean square 1.

    Examples
    --------
    >>> from difftem.functional.hann import hann_window
    >>> hann_window((4,))
    tensor([0.2391, 1.3938, 1.3938, 0.2391], dtype=torch.float64)
    """
    window = torch.ones((), dtype=torch.float64, device=device)
    for n in shape:
        phase = (torch.arange(n, device=device, dtype=torch.float64) + 0.5) * (math.pi / n)
        window = window[..., None] * (torch.sin(phase).square() * math.sqrt(8 / 3))
    return window
