"""The DiffTEM paper's denoiser, as a LightningModule."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from difftem.functional.image_error import correlation
from difftem.functional.mtf import apply_transfer
from difftem.losses.surrogate import (
    LEAST_RATE,
    SURROGATE_ESTIMATORS,
    SurrogateEstimator,
    exposure_target,
    surrogate_loss,
)
from difftem.modules.mtf import MTF
from difftem.tasks.hyperparameters import save_plain_hyperparameters
from difftem.tasks.report import Report
from difftem.tasks.wave_fit.report import make_wave_report


class WaveFit(LightningModule):
    """Learn the noise-free image whose noisy copies look like exposures (the DiffTEM paper).

    A batch is a dictionary of ``exposures``, ``(n, y, x)``: all exposures of one field in electrons
    per pixel, as the camera blurred them. In every step `samples` noisy copies are drawn of the
    image, blurred by the camera and compared with the exposures; processes share the copies.

    **There is no prior: what this converges to is the average of the exposures**
    (`difftem.functional.wave_fit.optimal_rate` has it in closed form), with a contrast that drifts
    if images are normalised (`difftem.losses.surrogate.surrogate_loss`). It is here to reproduce
    that work.

    Parameters
    ----------
    shape : tuple of int
        ``(y, x)`` of the exposures.
    mtf : MTF, optional
        Blur of the camera; it is not learnt. Default: none, for whitened exposures.
    estimator : str
        How the gradient passes the electrons: ``own_pixel``, the paper's; or one of
        `difftem.modules.PoissonLayer`: ``gaussian``, ``straight_through``, ``measure_valued``,
        ``score_function``, ``score_function_loo``.
    samples : int
        Noisy copies in a step.
    normalise : bool
        Stretch images to 0 ... 1 before they are compared, as the paper does.
    learning_rate : float
        Of Adam, in electrons per pixel.
    betas : tuple of float
        Of Adam.
    seed : int
        Of the electrons.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> from difftem.tasks.wave_fit import WaveFit
    >>> task = WaveFit(shape=(32, 32))
    >>> tuple(task().shape)
    (32, 32)
    """

    def __init__(
        self,
        shape: tuple[int, int],
        mtf: MTF | None = None,
        estimator: SurrogateEstimator = "own_pixel",
        samples: int = 50,
        normalise: bool = True,
        learning_rate: float = 1.0,
        betas: tuple[float, float] = (0.8, 0.992),
        seed: int = 0,
    ) -> None:
        super().__init__()
        if min(shape) < 1:
            raise ValueError(f"shape must be positive, got {shape[0]} x {shape[1]} pixels")
        if estimator not in SURROGATE_ESTIMATORS:
            raise ValueError(
                f"estimator must be one of {', '.join(SURROGATE_ESTIMATORS)}, got {estimator!r}"
            )
        least = 2 if estimator == "score_function_loo" else 1
        if samples < least:
            raise ValueError(f"samples must be at least {least} for {estimator}, got {samples}")
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {learning_rate} e/pixel")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be from 0 to below 1, got {betas[0]} and {betas[1]}")
        save_plain_hyperparameters(self)
        self.estimator, self.samples, self.normalise = estimator, samples, normalise
        self.learning_rate, self.betas, self.seed = learning_rate, betas, seed
        self.mtf = None if mtf is None else mtf.requires_grad_(False)
        self.projection = nn.Parameter(torch.full(tuple(shape), LEAST_RATE))
        self._average: Tensor | None = None
        self._loss = torch.tensor(torch.nan)
        self.history: list[dict[str, float]] = []

    def forward(self) -> Tensor:  # (y, x) e/pixel
        """Blur the image as the camera does: what it would show without noise."""
        transfer = self._transfer()
        return self.projection if transfer is None else apply_transfer(self.projection, transfer)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam as the paper has it."""
        return torch.optim.Adam([self.projection], lr=self.learning_rate, betas=self.betas)

    def training_step(
        self,
        batch: Mapping[str, Any],
        batch_idx: int,
    ) -> Tensor:
        """Compare noisy copies with the exposures.

        Parameters
        ----------
        batch : mapping
            See the class.
        batch_idx : int
            Of the epoch.

        Returns
        -------
        Tensor
            Surrogate loss.

        Raises
        ------
        ValueError
            If the exposures have another shape.
        """
        exposures = torch.as_tensor(batch["exposures"])
        if exposures.ndim != 3 or exposures.shape[-2:] != self.projection.shape:
            raise ValueError(
                f"shape must be that of the exposures, {list(exposures.shape[-2:])}, got "
                f"{list(self.projection.shape)}"
            )
        self._average = exposures.mean(0)
        if self.global_step == 0:
            with torch.no_grad():
                self.projection.fill_(max(float(exposures.mean()), LEAST_RATE))
        rank, processes = self.trainer.global_rank, self.trainer.world_size
        # A number for each step and process, of 32 bits, which is all that generators take.
        seed = crc32(f"{self.seed} {self.global_step} {rank}".encode())
        loss = surrogate_loss(
            self.projection,
            exposure_target(exposures, self.normalise),
            self._transfer(),
            estimator=self.estimator,
            samples=max(-(-self.samples // processes), 2 if "loo" in self.estimator else 1),
            generator=torch.Generator(self.device).manual_seed(seed),
        )
        self._loss = loss.detach() / self.projection.numel()
        self.log("train/loss", self._loss, sync_dist=processes > 1)
        return loss

    @torch.no_grad()
    def on_train_batch_end(self, *_: object) -> None:
        """Keep rates positive, and say how the image stands to the average of the exposures."""
        self.projection.clamp_(min=LEAST_RATE)
        if self._average is None:
            return
        image, average = (each - each.mean() for each in (self(), self._average))
        found = {
            "image/correlation_with_average": float(correlation(image, average)),
            "image/contrast_over_average": float((image * average).mean() / average.var()),
        }
        self.log_dict(found)
        now = {"step": float(self.global_step), "train/loss": float(self._loss)}
        self.history.append(now | found)

    def report(
        self,
        truth: Callable[[Tensor], Tensor | None] | None = None,
        notes: Sequence[str] = (),
    ) -> Report:
        """Tell how the fit went.

        Parameters
        ----------
        truth : callable, optional
            Not used.
        notes : sequence of str
            What is known about the data, one line each.

        Returns
        -------
        Report
            Curves, and pictures of average and image.
        """
        return make_wave_report(self().detach(), self._average, self.history, notes)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the curve."""
        checkpoint["wave_fit"] = {"history": self.history}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the curve."""
        self.history = list(checkpoint["wave_fit"]["history"])

    def _transfer(self) -> Tensor | None:  # (y, x // 2 + 1)
        """Blur of the camera on the grid of the image."""
        if self.mtf is None:
            return None
        shape = (self.projection.shape[0], self.projection.shape[1])
        return self.mtf.transfer(shape, self.projection.detach())
