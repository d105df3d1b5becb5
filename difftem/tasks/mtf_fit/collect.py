"""Sums over crops from which a spectrum is made."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram, window_efficiency
from difftem.analysis.spectrum_lines import spectrum_outliers
from difftem.tasks.mtf_fit.inference import Measurement


class SpectrumSum:
    """Periodograms and means of the batches of an epoch; a batch seen again replaces itself.

    Parameters
    ----------
    limits : tuple of float
        Lowest and highest frequency in cycles/pixel.
    window : str
        See `difftem.analysis.noise_spectrum.mean_periodogram`.
    exclude : bool
        Leave out outliers.
    """

    def __init__(self, limits: tuple[float, float], window: str, exclude: bool) -> None:
        if not 0 <= limits[0] < limits[1]:
            raise ValueError(
                f"min_frequency must be >= 0 and below max_frequency, got {limits[0]:g} and "
                f"{limits[1]:g} cycles/pixel"
            )
        window_efficiency((2, 2), window)  # refuses an unknown name
        self.limits, self.window, self.exclude = limits, window, exclude
        self.clear()

    def clear(self) -> None:
        """Forget all crops."""
        self.shape: tuple[int, int] | None = None
        self._batches: dict[int, int] = {}
        self._periodogram = torch.zeros((), dtype=torch.float64)
        self._means = torch.zeros((), dtype=torch.float64)
        self._squares = torch.zeros((), dtype=torch.float64)  # of the means
        self._lowest = float("inf")  # mean
        self._crops = 0
        self._measurement: Measurement | None = None
        self.keep: Tensor | None = None

    def add(self, images: Tensor, means: Tensor, batch_idx: int) -> None:
        """Add the batch with this number, if it is not there yet.

        Raises
        ------
        ValueError
            For images that are no noise: constant, not finite, of another size.
        """
        if batch_idx in self._batches:
            return
        shape = (images.shape[-2], images.shape[-1])
        if images.ndim != 3 or means.shape != images.shape[:1]:
            raise ValueError(
                f"images and means must be (n, y, x) and (n,), got {tuple(images.shape)} and "
                f"{tuple(means.shape)}"
            )
        if self.shape is not None and shape != self.shape:
            raise ValueError(f"all crops must have one size, got {shape} after {self.shape}")
        if not bool(torch.isfinite(images).all()):
            raise ValueError(f"crop of batch {batch_idx} holds numbers that are not finite")
        flat = (images == images[:, :1, :1]).flatten(1).all(1)
        if bool(flat.any()):
            raise ValueError(f"crop {int(flat.int().argmax())} of batch {batch_idx} is constant")
        self.shape = shape
        n = len(images)
        with torch.no_grad():
            total = n * mean_periodogram(images, self.window)
            self._periodogram = self._periodogram.to(total) + total
            self._means = self._means.to(total) + means.double().sum()
            self._squares = self._squares.to(total) + means.double().square().sum()
            self._lowest = min(self._lowest, float(means.min()))
        self._crops += n
        self._batches[batch_idx] = n
        self._measurement = None

    def mean(self) -> Tensor:
        """Mean grey value of all crops."""
        return self._means / self._crops

    def reduce(self, reduce: Callable[..., Any]) -> None:
        """Add up what several devices have collected."""
        device = self._periodogram.device
        self._periodogram = reduce(self._periodogram, reduce_op="sum")
        self._means = reduce(self._means, reduce_op="sum")
        self._squares = reduce(self._squares, reduce_op="sum")
        crops = torch.tensor(float(self._crops), device=device)
        self._crops = int(reduce(crops, reduce_op="sum"))
        lowest = torch.tensor(self._lowest, device=device)
        self._lowest = float(reduce(lowest, reduce_op="min"))
        self._measurement = None

    def measurement(self) -> Measurement:
        """Rings of all that was added."""
        if self.shape is None:
            raise ValueError("no crops were seen yet: run Trainer.fit first")
        if self._measurement is None:
            mean = self._periodogram / self._crops
            excluded = lines = 0
            if self.exclude:
                found = spectrum_outliers(mean, self.shape, max(1, int(self._equivalent())))
                self.keep, excluded = found.keep, found.excluded
                lines = len(found.rows) + len(found.columns)
            crops = self._equivalent() * window_efficiency(self.shape, self.window)
            rings = collapse_rings(mean, self.shape, crops, limits=self.limits, keep=self.keep)
            self._measurement = Measurement(rings, self._crops, excluded, lines)
        return self._measurement

    def _equivalent(self) -> float:
        """Count crops of one dose whose mean periodogram would scatter as that of these."""
        if not self._lowest > 0:  # an offset was taken off: means say nothing of the noise
            return float(self._crops)
        return float(self._means**2 / self._squares)

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {
            "shape": self.shape,
            "batches": dict(self._batches),
            "periodogram": self._periodogram.cpu(),
            "means": self._means.cpu(),
            "squares": self._squares.cpu(),
            "lowest": self._lowest,
            "crops": self._crops,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up the values of `state`."""
        self.shape = None if state["shape"] is None else tuple(state["shape"])
        self._batches = dict(state["batches"])
        self._periodogram, self._means = state["periodogram"], state["means"]
        self._squares, self._lowest = state["squares"], state["lowest"]
        self._crops = state["crops"]
        self._measurement = None
