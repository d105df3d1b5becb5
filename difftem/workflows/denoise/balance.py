"""A denoiser weighed against Wiener's filter, frequency by frequency, on the image itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from difftem.analysis.held_out import ICE, band_masks
from difftem.baselines.summed import summed
from difftem.data.whole_pairs import pairs_of
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.ring_balance import balanced, ring_balance
from difftem.functional.wiener import wiener_estimate

Method = Callable[[Tensor, float, torch.Generator | None], Tensor]

# Gain of the correction before the image has said anything, and its standard deviation.
_BELIEF, _DOUBT = (1.0, 1.0), (0.0, 0.25)
_ICE_BAND = (1 / 4.5, 1 / 2.6)  # 1/Å
_COARSE = 0.5  # Å: finer pixels show lattices there
_FRACTION = 0.5  # of the electrons in the kept part of a split


def balance(
    method: Method,
    *,
    repeats: int = 2,
    pixel_size: float | None = None,
    where: Tensor | None = None,  # (y, x) bool
    trained: bool = False,
) -> "Balance":
    """Make a method that keeps of another one what held-out electrons confirm.

    The image is split, or its exposures are paired; at each frequency what the method adds to
    Wiener's estimate of one side is compared with the other side
    (`difftem.functional.ring_balance.ring_balance`), and so much of it is added to Wiener's
    estimate of the whole. Where the method is wrong, or adds nothing that can be told from noise,
    the result is Wiener's. It costs one run of the method more for each repeat.

    Parameters
    ----------
    method : callable
        ``method(exposures (n, y, x), electrons, generator) -> (y, x)``, whitened.
    repeats : int
        Splits.
    pixel_size : float, optional
        Å; with it the ring of ice at 3.7 Å, which both sides share, has no say: ice that the
        method took out stays out.
    where : Tensor, optional
        Pixels that have a say: after training on the image those that were held out.
    trained : bool
        The method was trained on simulated images, where it was better than Wiener's filter, to
        leave ice out: it is believed unless the image proves it wrong; and between 1/4.5 and
        1/2.6 1/Å, where both sides share what is ice more than specimen, in any case.

    Returns
    -------
    callable
        With the signature of `method`; its ``gain`` is what the last image got, on the half grid.
    """
    return Balance(method, repeats, pixel_size, where, trained)


class BalancedMethod:
    """What a network adds to Wiener's filter, each frequency by a fixed part.

    Parameters
    ----------
    method : callable
        Whose estimate is weighed.
    gain : Tensor
        Part of it at each frequency, shape ``(y, x // 2 + 1)``.
    """

    def __init__(self, method: Method, gain: Tensor) -> None:
        self.method, self.gain = method, gain

    def __call__(
        self,
        exposures: Tensor,  # (n, y, x)
        electrons: float,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (y, x)
        """Denoise whitened exposures."""
        image, _, scale = summed(exposures, electrons)
        estimate = self.method(exposures, electrons, generator)
        return balanced(wiener_estimate(image) / scale, estimate, self.gain)


class Balance:
    """See `balance`."""

    def __init__(
        self,
        method: Method,
        repeats: int,
        pixel_size: float | None,
        where: Tensor | None,
        trained: bool,
    ) -> None:
        self.trained = trained
        self.method, self.repeats, self.pixel_size = method, repeats, pixel_size
        self.where = where
        self.gain: Tensor | None = None

    def weigh(
        self,
        exposures: Tensor,  # (n, y, x)
        electrons: float,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (y, x // 2 + 1)
        """Find how much of the method's correction to keep at each frequency."""
        _, ny, nx = exposures.shape
        seed = int(torch.randint(2**31, (), generator=generator, device=_device(generator)))
        source = pairs_of(exposures, electrons, _FRACTION, seed)
        corrections, residuals = [], []
        for number in range(self.repeats):
            pair = source.pair(number)
            found = self.method(pair.noisy[None], pair.electrons, generator)
            corrections.append(found - pair.wiener)
            residuals.append(pair.target - pair.wiener)
        ice = band_masks((ny, nx), self.pixel_size).get(ICE)
        gain = ring_balance(
            corrections,
            residuals,
            pair.target_variance,
            None if ice is None else ice.to(exposures.device),
            self.where,
            _BELIEF if self.trained else _DOUBT,
        )
        if self.trained and self.pixel_size is not None and self.pixel_size >= _COARSE:
            q = radius(frequency_grid((ny, nx), self.pixel_size, half=True))
            believed = (q >= _ICE_BAND[0]) & (q < _ICE_BAND[1])
            gain = gain.masked_fill(believed.to(gain.device), 1.0)
        return gain

    def __call__(
        self,
        exposures: Tensor,  # (n, y, x)
        electrons: float,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (y, x)
        """Denoise."""
        self.gain = self.weigh(exposures, electrons, generator)
        return BalancedMethod(self.method, self.gain)(exposures, electrons, generator)


def _device(generator: torch.Generator | None) -> torch.device:
    """Where a generator draws."""
    return torch.device("cpu") if generator is None else generator.device
