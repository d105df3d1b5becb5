"""What a network was trained on, where that is one pixel size; and images of another one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.functional.resample import cosine_resample
from difftem.io.errors import input_error
from difftem.workflows.denoise.methods import Denoiser

_SAME = 0.02  # relative difference of pixel sizes that no network minds
_SLACK = 1.5  # factor beyond the doses of training that needs no word


@dataclass(frozen=True)
class TrainedDomain:
    """Images that a network was trained on.

    Attributes
    ----------
    pixel_size : float
        Å.
    electrons : tuple of float
        Lowest and highest number per pixel.
    """

    pixel_size: float
    electrons: tuple[float, float]

    def resamples(self, pixel_size: float | None) -> bool:
        """Tell whether images of a pixel size in Å must be sampled anew."""
        return pixel_size is not None and abs(pixel_size / self.pixel_size - 1) > _SAME

    def shape(self, shape: tuple[int, int], pixel_size: float) -> tuple[int, int]:
        """Size in pixels of training of an image ``(y, x)`` of another pixel size in Å."""
        ny, nx = (max(1, round(n * pixel_size / self.pixel_size)) for n in shape)
        return ny, nx

    def sentences(
        self, weights: str, electrons: float, pixel_size: float | None
    ) -> tuple[list[str], list[str]]:
        """Say in lines what is done with an image, and what is doubtful about it.

        Parameters
        ----------
        weights : str
            Their name.
        electrons : float
            Per pixel of the image.
        pixel_size : float or None
            Å.

        Returns
        -------
        tuple of list of str
            Notes and warnings.
        """
        notes, warnings = [], []
        if pixel_size is None:
            warnings.append(
                f"weights {weights} were trained at {self.pixel_size:g} Å/pixel, the image has no "
                "pixel size: it is taken for that (--pixel-size tells another); see difftem docs "
                "weights"
            )
        elif self.resamples(pixel_size):
            notes.append(
                f"resampled from {pixel_size:g} to {self.pixel_size:g} Å/pixel, at which weights "
                f"{weights} were trained, and back"
            )
            electrons *= (self.pixel_size / pixel_size) ** 2
        low, high = self.electrons
        if not low / _SLACK <= electrons <= _SLACK * high:
            factor = electrons / high if electrons > high else low / electrons
            more = "more" if electrons > high else "fewer"
            warnings.append(
                f"{electrons:.3g} electrons per pixel of {self.pixel_size:g} Å, {factor:.2g} times "
                f"{more} than any that weights {weights} were trained on ({low:g} to {high:g}): "
                "compare with --method wiener; see difftem docs weights"
            )
        return notes, warnings


def trained_domain(account: Mapping[str, Any], path: str | Path) -> TrainedDomain | None:
    """Read from the account of weights what they were trained on.

    Parameters
    ----------
    account : mapping
        Its ``domain``, if any, has ``pixel_size_angstrom`` and ``electrons``.
    path : str or Path
        For messages.

    Returns
    -------
    TrainedDomain or None
        None of weights for all pixel sizes and doses.

    Raises
    ------
    InputError
        If that is not what it holds.
    """
    found = account.get("domain")
    if found is None:
        return None
    try:
        low, high = (float(each) for each in found["electrons"])
        size = float(found["pixel_size_angstrom"])
    except (KeyError, TypeError, ValueError) as error:
        raise _no_domain(found, path) from error
    if not (0 < low <= high < math.inf and 0 < size < math.inf):
        raise _no_domain(found, path)
    return TrainedDomain(size, (low, high))


def at_trained_size(
    method: Denoiser, domain: TrainedDomain, pixel_size: float, seed: int = 0
) -> Denoiser:
    """Let a method work on images that are resampled to what it was trained on, and back.

    Parameters
    ----------
    method : callable
        Of whitened exposures.
    domain : TrainedDomain
        Of its weights.
    pixel_size : float
        Of the image, Å.
    seed : int
        Of the noise at frequencies that the image lacks.

    Returns
    -------
    callable
        Of exposures at the image's own pixel size.
    """
    area = (domain.pixel_size / pixel_size) ** 2

    def run(
        exposures: Tensor, electrons: float, generator: torch.Generator | None = None
    ) -> Tensor:  # (y, x)
        shape = (exposures.shape[-2], exposures.shape[-1])
        lacking = torch.Generator(exposures.device).manual_seed(seed)
        resampled = cosine_resample(exposures, domain.shape(shape, pixel_size), lacking)
        return cosine_resample(method(resampled, area * electrons, generator), shape)

    return run


def _no_domain(found: Any, path: str | Path) -> Exception:
    return input_error(
        path,
        "domain must hold pixel_size_angstrom, and the lowest and highest electrons per pixel, "
        f"got {found!r}",
    )
