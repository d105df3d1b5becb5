"""Discrete cosine transform: the spectrum of an image that goes on in its own mirror image."""

import math

import torch
from torch import Tensor


def cosine_transform(
    image: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    r"""Orthonormal cosine transform (DCT-II) of real images.

    .. math:: X_k = \sqrt{\frac{2 - \delta_k}{N}} \sum_n x_n \cos\frac{\pi (2n+1) k}{2N}

    along both axes. Column k belongs to the frequency k / 2N cycles/pixel. The image has no edge to
    its mirror image, so that edges of an image that is not periodic do not leak over the spectrum;
    white noise of variance 1 has variance 1 in every ordinate.

    Parameters
    ----------
    image : Tensor
        Real, of any size, shape ``(..., y, x)``.

    Returns
    -------
    Tensor
        Shape and type of `image`.

    References
    ----------
    Makhoul, IEEE Trans. ASSP 28 (1980) 27.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.cosine import cosine_transform
    >>> x = (torch.arange(8) + 0.5) / 8
    >>> image = torch.cos(torch.pi * x).expand(4, 8)  # half a period: its edges do not meet
    >>> cosine_transform(image).round(decimals=3)[0, 1].item(), image.norm().item()
    (4.0, 4.0)
    """
    ny, nx = image.shape[-2:]
    half, device = nx // 2 + 1, image.device
    order = image[..., _order(ny, device)[:, None], _order(nx, device)]
    fourier = torch.fft.rfft2(order)
    opposite = fourier.flip(-2).roll(1, -2).conj()
    py, px = _phase(ny, image), _phase(nx, image)[:half]
    fourier = fourier * _outer(py, px)
    opposite = opposite * _outer(py, px.conj())
    left = (fourier.real + opposite.real) / 2
    right = (opposite.imag - fourier.imag)[..., 1 : (nx + 1) // 2].flip(-1) / 2
    spectrum = torch.cat([left, right], -1)
    return spectrum * _outer(_scale(ny, image), _scale(nx, image))


def inverse_cosine_transform(
    spectrum: Tensor,  # (..., y, x)
) -> Tensor:  # (..., y, x)
    """Undo `cosine_transform`.

    Parameters
    ----------
    spectrum : Tensor
        As `cosine_transform` gives it.

    Returns
    -------
    Tensor
        Shape and type of `spectrum`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.cosine import cosine_transform, inverse_cosine_transform
    >>> image = torch.arange(35.0).view(5, 7)
    >>> torch.allclose(inverse_cosine_transform(cosine_transform(image)), image, atol=1e-4)
    True
    """
    ny, nx = spectrum.shape[-2:]
    half, device = nx // 2 + 1, spectrum.device
    ordinates = spectrum / _outer(_scale(ny, spectrum), _scale(nx, spectrum))
    mirror = torch.nn.functional.pad(ordinates[..., nx - half + 1 :].flip(-1), (1, 0))
    fourier = torch.complex(ordinates[..., :half], -mirror)
    opposite = torch.nn.functional.pad(fourier[..., 1:, :].flip(-2), (0, 0, 1, 0))
    py, px = _phase(ny, spectrum), _phase(nx, spectrum)[:half]
    fourier = (fourier - 1j * opposite) * _outer(py, px).conj()
    order = torch.fft.irfft2(fourier, s=(ny, nx))
    rows, columns = (_order(n, device).argsort() for n in (ny, nx))
    return order[..., rows[:, None], columns]


def cosine_radius(
    shape: tuple[int, int],
    device: torch.device | None = None,
    rows: slice = slice(None),
) -> Tensor:  # (y, x) cycles/pixel
    """Length of the frequency of every ordinate of a cosine transform.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` of the image.
    device : torch.device, optional
        Of the result.
    rows : slice
        Of it that are wanted.

    Returns
    -------
    Tensor
        float32, 0 at ``[0, 0]``.

    Examples
    --------
    >>> from difftem.functional.cosine import cosine_radius
    >>> cosine_radius((2, 4))  # cycles/pixel
    tensor([[0.0000, 0.1250, 0.2500, 0.3750],
            [0.2500, 0.2795, 0.3536, 0.4507]])
    """
    y, x = (torch.arange(n, device=device, dtype=torch.float32) / (2 * n) for n in shape)
    return torch.hypot(y[rows, None], x)


def _outer(y: Tensor, x: Tensor) -> Tensor:
    return y[:, None] * x


def _order(n: int, device: torch.device) -> Tensor:
    """Even samples, then the odd ones backwards."""
    index = torch.arange(n, device=device)
    return torch.cat([index[::2], index[1::2].flip(0)])


def _phase(n: int, like: Tensor) -> Tensor:
    angle = torch.arange(n, dtype=torch.float64) * (-math.pi / (2 * n))
    kind = torch.complex128 if like.dtype == torch.float64 else torch.complex64
    return torch.polar(torch.ones_like(angle), angle).to(like.device, kind)


def _scale(n: int, like: Tensor) -> Tensor:
    scale = torch.full((n,), math.sqrt(2 / n), dtype=like.dtype, device=like.device)
    scale[0] = math.sqrt(1 / n)
    return scale
