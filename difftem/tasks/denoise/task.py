"""Training of a denoiser, as a LightningModule."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from difftem.networks.live_channels import check_alive
from difftem.tasks.denoise.losses import DENOISING_LOSSES, DenoisingLoss, denoising_loss
from difftem.tasks.denoise.panels import Panel
from difftem.tasks.denoise.report import make_training_report
from difftem.tasks.denoise.schedule import warm_up_cosine
from difftem.tasks.denoise.scores import DenoisingScores, image_scores
from difftem.tasks.hyperparameters import save_plain_hyperparameters
from difftem.tasks.report import Report

MAX_LEARNING_RATE = 1e-3  # above it levels die
_SECOND_CHECK = 100  # steps


class Denoise(LightningModule):
    """Train a network to take the noise off whitened images.

    A batch is a dictionary of whitened values, each ``(b, 1, y, x)``: ``noisy`` with noise of
    variance 1, ``wiener`` (Wiener's estimate of the whole image) and ``target``; and ``electrons``
    per pixel, ``(b,)``. In validation also ``clean`` where ``target`` is not, and ``kind``,
    ``(b,)``: numbers whose names are the data module's ``kind_names``. ``target_noise``, ``(b,)``,
    is the variance of the target's noise.

    Training fails as soon as a level of the network has no live channel: at the start, after 100
    steps and at every validation.

    Parameters
    ----------
    network : Module
        Takes ``(b, 2, y, x)``, counts and Wiener's estimate, or ``(b, 1, y, x)`` if its
        ``in_channels`` is 1; gives ``(b, 1, y, x)``.
    loss : {"supervised", "noise2noise", "count_split"}
        Target is clean, another exposure, or the other part of the exposure's electrons.
    learning_rate : float
        Of AdamW, at most 0.001; falls to a hundredth by the Trainer's last step.
    warm_up : int
        Steps in which the rate rises.
    weight_decay : float
        Of AdamW.
    epsilon : float
        Mean squared error, in units of the noise's variance, below which ``supervised`` gains
        nothing.
    panels : int
        Validation images that are drawn.

    Raises
    ------
    ValueError
        For an unknown loss or an impossible number.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import UNet
    >>> from difftem.tasks.denoise import Denoise
    >>> task = Denoise(UNet(channels=(8, 8)), loss="noise2noise")
    >>> noisy = torch.randn(1, 1, 32, 32)
    >>> tuple(task({"noisy": noisy, "wiener": torch.zeros_like(noisy)}).shape)
    (1, 1, 32, 32)
    """

    def __init__(
        self,
        network: nn.Module,
        loss: DenoisingLoss = "supervised",
        learning_rate: float = 5e-4,
        warm_up: int = 200,
        weight_decay: float = 0.0,
        epsilon: float = 3e-4,
        panels: int = 4,
    ) -> None:
        super().__init__()
        if loss not in DENOISING_LOSSES:
            raise ValueError(f"loss must be one of {', '.join(DENOISING_LOSSES)}, got {loss!r}")
        if not 0 < learning_rate <= MAX_LEARNING_RATE:
            raise ValueError(
                f"learning_rate must be above 0 and at most {MAX_LEARNING_RATE:g}, got "
                f"{learning_rate:g}: levels of the network die at higher ones"
            )
        for name, value in (("warm_up", warm_up), ("panels", panels)):
            if value < 0:
                raise ValueError(f"{name} must not be negative, got {value}")
        if not epsilon > 0:
            raise ValueError(f"epsilon must be positive, got {epsilon:g}")
        if not weight_decay >= 0:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay:g}")
        save_plain_hyperparameters(self)
        # Convolutions of few channels on the CPU take 20 % less time so.
        self.network = network
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares no format alone
        self.loss, self.learning_rate, self.warm_up = loss, learning_rate, warm_up
        self.weight_decay, self.epsilon = weight_decay, epsilon
        self.scores, self.n_panels = DenoisingScores(), panels
        self.panels: list[Panel] = []
        self.groups: dict[str, dict[str, float]] = {}
        self.live: dict[str, float] = {}
        self.history: list[dict[str, float]] = []
        self._checked = -1  # step

    def forward(
        self,
        batch: Mapping[str, Any],
    ) -> Tensor:  # (b, 1, y, x)
        """Denoise the images of a batch."""
        estimate: Tensor = self.network(self._inputs(batch))
        return estimate

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with a warm-up, and a cosine to the Trainer's end."""
        adam = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=self.weight_decay,
        )
        steps = float(self.trainer.estimated_stepping_batches)
        factor = warm_up_cosine(self.warm_up, steps if steps > 0 else float("inf"))
        scheduler = torch.optim.lr_scheduler.LambdaLR(adam, factor)
        return {"optimizer": adam, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def training_step(
        self,
        batch: Mapping[str, Any],
        batch_idx: int,
    ) -> Tensor:
        """Loss of a batch.

        Parameters
        ----------
        batch : mapping
            See the class.
        batch_idx : int
            Of the epoch.

        Returns
        -------
        Tensor
            Loss.
        """
        if self._checked < 0 or self._checked < _SECOND_CHECK <= self.global_step:
            self._check_alive(batch)
        estimate = self(batch)
        loss = self._loss(batch, estimate)
        n = len(estimate)
        self.log("train/loss", loss.detach(), batch_size=n)
        with torch.no_grad():
            gained = loss.detach() - self._loss(batch, batch["wiener"])
        # Of images of one dose the loss says how good the network is; this says it of any.
        self.log("train/loss_above_wiener", gained, batch_size=n)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the images of the last validation."""
        self.scores.reset()
        self.panels = []

    def validation_step(self, batch: Mapping[str, Any], batch_idx: int) -> None:
        """Score the images of a batch."""
        if batch_idx == 0:
            self._check_alive(batch)
        estimate = self(batch)
        n = len(estimate)
        for name, values in (("val/loss", estimate), ("val/loss_wiener", batch["wiener"])):
            self.log(name, self._loss(batch, values), batch_size=n, sync_dist=True)
        truth = batch.get("clean", batch["target"] if self.loss == "supervised" else None)
        kinds = batch.get("kind", torch.full((n,), -1))
        if truth is not None:
            found = image_scores(estimate, batch["wiener"], truth)
            self.scores.update(found, batch["electrons"], kinds.to(found.device))
        for i in range(min(n, self.n_panels - len(self.panels))):
            images = [batch["noisy"], batch["wiener"], estimate, truth]
            self.panels.append(
                Panel(
                    [None if each is None else each[i, 0].float().cpu() for each in images],
                    float(batch["electrons"][i]),
                    self._kind(int(kinds[i])),
                )
            )

    def on_validation_epoch_end(self) -> None:
        """Log means over images, by dose and by kind."""
        self.log_dict({f"live/{level}": value for level, value in self.live.items()})
        if self.scores.update_called:
            named = {f"kind_{i}": f"kind_{name}" for i, name in enumerate(self._kind_names())}
            self.groups = {named.get(k, k): v for k, v in self.scores.compute().items()}
            for group, values in self.groups.items():
                start = f"val/{group}/" if group else "val/"
                self.log_dict({start + k: v for k, v in values.items() if k != "images"})
        if not self.trainer.sanity_checking:
            row = {k: float(v) for k, v in self.trainer.callback_metrics.items()}
            self.history.append({"step": float(self.global_step), **row})

    def report(
        self,
        truth: Callable[[Tensor], Tensor | None] | None = None,
        notes: Sequence[str] = (),
    ) -> Report:
        """Tell how training went.

        Parameters
        ----------
        truth : callable, optional
            Not used.
        notes : sequence of str
            What is known about the data, one line each.

        Returns
        -------
        Report
            With the last validation's numbers and pictures.
        """
        return make_training_report(
            self.network, self.history, self.groups, self.live, self.panels, notes
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the curve."""
        checkpoint["denoise"] = {"history": self.history, "checked": self._checked}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the curve."""
        state = checkpoint["denoise"]
        self.history, self._checked = list(state["history"]), state["checked"]

    def _kind_names(self) -> Sequence[str]:
        """Names of kinds of specimens that the data module knows."""
        names: Sequence[str] = getattr(getattr(self.trainer, "datamodule", None), "kind_names", ())
        return names

    def _kind(self, number: int) -> str:
        """Name of a kind; empty if unknown."""
        names = self._kind_names()
        return names[number] if 0 <= number < len(names) else ""

    def _inputs(self, batch: Mapping[str, Any]) -> Tensor:  # (b, 1 or 2, y, x)
        """Stack what the network takes."""
        if getattr(self.network, "in_channels", 2) == 1:
            return torch.as_tensor(batch["noisy"])
        return torch.cat([batch["noisy"], batch["wiener"]], 1)

    def _loss(self, batch: Mapping[str, Any], estimate: Tensor) -> Tensor:
        """Loss of an estimate."""
        noise = batch.get("target_noise")
        return denoising_loss(self.loss, estimate, batch["target"], noise, self.epsilon)

    def _check_alive(self, batch: Mapping[str, Any]) -> None:
        """Fail where a level of the network passes nothing on."""
        self.live = check_alive(self.network, self._inputs(batch))
        self._checked = self.global_step
