"""Exposures of one field with white noise of unit variance: what every denoiser works on."""

from dataclasses import dataclass

from torch import Tensor

from difftem.functional.whitening import colour


@dataclass(frozen=True, eq=False)
class WhitenedExposures:
    """Exposures of one field, whitened.

    Parameters
    ----------
    values : Tensor
        ``(counts - electrons) / sqrt(electrons)``: mean 0, noise white, its variance 1 where the
        image is as bright as its mean; shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each exposure.
    mean : float
        Grey values that were taken off.
    noise : Tensor
        Amplitude of the noise in grey values at each frequency, shape ``(y, x // 2 + 1)``.
    pixel_size : float or None
        Å.
    """

    values: Tensor
    electrons: float
    mean: float
    noise: Tensor
    pixel_size: float | None

    def grey_values(
        self,
        estimate: Tensor,  # (..., y, x)
    ) -> Tensor:  # (..., y, x) grey values
        """Give a whitened estimate the noise-free look of the camera's own image.

        Parameters
        ----------
        estimate : Tensor
            In the units of `values`.

        Returns
        -------
        Tensor
            In the units of the file.
        """
        return colour(estimate, self.mean, self.noise)
