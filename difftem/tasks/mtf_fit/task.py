"""Fit of a detector's MTF to flat fields, as a LightningModule."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from difftem.losses.whittle import white_level
from difftem.modules.mtf import MTF
from difftem.tasks.hyperparameters import save_plain_hyperparameters
from difftem.tasks.mtf_fit.collect import SpectrumSum
from difftem.tasks.mtf_fit.facts import check_facts, check_processes
from difftem.tasks.mtf_fit.families import select_family
from difftem.tasks.mtf_fit.held_out import held_out_metrics
from difftem.tasks.mtf_fit.inference import infer
from difftem.tasks.mtf_fit.model import NoiseSpectrum, PlainParameters
from difftem.tasks.mtf_fit.report import make_report
from difftem.tasks.mtf_fit.result import MTFFitResult
from difftem.tasks.mtf_fit.search import lbfgs, minimise, set_levels
from difftem.tasks.mtf_fit.simulation import SimulatedNoise
from difftem.tasks.report import Report

Loss = Literal["whittle", "psd", "ffl_pairwise"]
LOSSES: tuple[str, ...] = get_args(Loss)


class MTFFit(LightningModule):
    r"""Fit the MTF of a detector to the noise of flat fields (vacuum, or background of images).

    The noise power is :math:`S(\omega) = s_0 H(\omega)^2 + \sigma^2`. A batch is a dictionary:
    ``images``, shape ``(n, y, x)``, whose noise power spectrum is S (flat crops, or differences of
    two aligned exposures over the square root of 2), and ``means``, shape ``(n,)``, the mean grey
    values of the exposures under them.

    =================  ========================================================================
    ``whittle``        maximum likelihood of the spectrum: the first epoch collects it, then
                       L-BFGS in float64 runs to the end and training stops
    ``psd``            log spectra of simulated and measured crops, through Poisson counting and
                       detector, by Adam; one step per batch, for as long as the Trainer runs
    ``ffl_pairwise``   the DiffTEM paper's loss of two independent images, by Adam; inconsistent,
                       see `difftem.losses.focal_frequency.pairwise_loss`
    =================  ========================================================================

    Parameters
    ----------
    mtf : MTF
        Family of the curve and where the fit starts; what it can learn is fitted. Changed to
        float64 in place.
    loss : {"whittle", "psd", "ffl_pairwise"}
        Maximum likelihood of the noise spectrum, log spectra of simulated and measured crops, or
        the DiffTEM paper's loss of two images.
    gain : float, optional
        Grey values per electron of a counting camera: makes s0 = gain x mean known, which
        divides the error by 3 or more. Without it s0 is fitted.
    read_noise : float, optional
        σ in grey values; None fits it.
    min_frequency, max_frequency : float
        Range of the fit in cycles/pixel; 0.71 and more takes the corners of the spectrum, too.
    window : {"none", "tukey", "hann"}
        See `difftem.analysis.noise_spectrum.mean_periodogram`.
    exclude_lines : bool
        Leave out lines and peaks that are no noise.
    n_starts : int
        Searches of ``whittle``.
    learning_rate : float
        Of Adam; falls linearly to nothing where the Trainer knows its number of steps.
    gamma, focal_weight, squared_weight : float
        Of ``ffl_pairwise``.
    n_bins : int
        Bins of the spectra that ``psd`` compares.
    compare_families : bool
        Fit the other families by ``whittle`` for the report, to compare their AIC.
    seed : int
        Of the simulated counts.

    Raises
    ------
    ValueError
        For an unknown loss or an impossible number.

    Examples
    --------
    >>> from difftem.tasks.mtf_fit import MTFFit, mtf_family
    >>> MTFFit(mtf_family("lorentzian"), gain=12.0).hparams.loss
    'whittle'
    """

    def __init__(
        self,
        mtf: MTF,
        loss: Loss = "whittle",
        gain: float | None = None,
        read_noise: float | None = 0.0,
        min_frequency: float = 0.0,
        max_frequency: float = 1.0,
        window: str = "none",
        exclude_lines: bool = True,
        n_starts: int = 4,
        learning_rate: float = 0.02,
        gamma: float = 1.0,
        focal_weight: float = 1.0,
        squared_weight: float = 1.0,
        n_bins: int = 100,
        compare_families: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
        if gain is not None and not gain > 0:
            raise ValueError(f"gain must be positive, got {gain} grey values per electron")
        if n_starts < 1:
            raise ValueError(f"n_starts must be at least 1, got {n_starts}")
        save_plain_hyperparameters(self)
        self.loss, self.gain, self.n_starts = loss, gain, n_starts
        self.learning_rate, self.compare_families = learning_rate, compare_families
        self.automatic_optimization = loss != "whittle"
        free = ("s0",) * (gain is None) + ("read_variance",) * (read_noise is None)
        start = 1.0 if read_noise is None else read_noise**2
        self.model = NoiseSpectrum(mtf, read_variance=start, learnable=free)
        self.collected, self.tested = (
            SpectrumSum((min_frequency, max_frequency), window, exclude_lines) for _ in range(2)
        )
        self.simulated = SimulatedNoise(
            self.model, gain, n_bins, (gamma, focal_weight, squared_weight), seed
        )
        self._goes_on, self._given_noise = False, read_noise
        self._notes: list[str] = []
        self._family = type(mtf).__name__.removeprefix("Parametrized").removesuffix("MTF")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """L-BFGS for the likelihood, Adam with a falling rate for what is simulated."""
        if self.loss == "whittle":
            return lbfgs(self.model)
        adam = torch.optim.Adam(self.model.parameters(), lr=self.learning_rate)
        steps = self.trainer.estimated_stepping_batches
        if steps in (float("inf"), -1):
            return adam
        scheduler = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.01, max(int(steps), 1))
        return {
            "optimizer": adam,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> Tensor | None:
        """Collect the spectrum, and make a step of a simulated loss.

        Parameters
        ----------
        batch : mapping
            ``images`` and ``means``.
        batch_idx : int
            Of the epoch.

        Returns
        -------
        Tensor or None
            Loss for Adam.
        """
        images, means = batch["images"].float(), batch["means"]
        self.collected.add(images, means, batch_idx)
        if self.loss == "whittle":
            # Not in a hook of the epoch's end: Lightning counts steps only here.
            if self.trainer.is_last_batch:
                self._maximise()
            return None
        self._set_known_level()
        if self.global_step == 0:
            set_levels(self.model, self.collected.measurement().spectrum)
        self.simulated.to(self.device)
        loss = (
            self.simulated.spectrum_loss(images, self.collected)
            if self.loss == "psd"
            else self.simulated.image_loss(images, means)
        )
        self.log("train/loss", loss.detach(), batch_size=len(images))
        self.log_dict(self._fitted(), batch_size=len(images))
        return loss

    def result(self) -> MTFFitResult:
        """Curve, errors, tests and warnings of the fit as it is; ValueError without data."""
        return infer(self.model, self.collected.measurement(), self._family, self.loss)

    def report(
        self,
        truth: Callable[[Tensor], Tensor | None] | None = None,
        notes: Sequence[str] = (),
    ) -> Report:
        """Tell how the fit went.

        Parameters
        ----------
        truth : callable, optional
            Gives the known curve at frequencies in cycles/pixel, or None.
        notes : sequence of str
            What is known about the data, one line each.

        Returns
        -------
        Report
            With errors where the truth is known.
        """
        result = self.result()
        others: list[MTFFitResult] = []
        if self.compare_families:
            s0 = None if self.gain is None else result.s0
            noise = None if self.model.read_variance.requires_grad else result.read_noise
            measured = self.collected.measurement()
            others = select_family(measured, s0=s0, read_noise=noise, n_starts=1)
        known = None if truth is None else truth(result.frequency)
        return make_report([result, *others], known, [*self._notes, *notes])

    def test_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> None:
        """Collect the spectrum of other crops, of batches as in training."""
        if batch_idx == 0:
            self.tested.clear()
        self.tested.add(batch["images"].float(), batch["means"], batch_idx)

    def on_test_epoch_end(self) -> None:
        """Test whether the fit is the spectrum of those crops: likelihood and whiteness."""
        self.tested.reduce(self.trainer.strategy.reduce)
        self.log_dict(held_out_metrics(self.model, self.tested, self.gain))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the collected spectrum and the state of the random numbers."""
        checkpoint["mtf_fit"] = {
            "collected": self.collected.state(),
            "generator": self.simulated.generator.get_state(),
        }

    def on_fit_start(self) -> None:
        """Start from no data, unless a checkpoint is continued, and check what the data know."""
        check_processes(self.trainer.world_size, self.loss, self._goes_on)
        facts = getattr(getattr(self.trainer, "datamodule", None), "facts", None)
        self._notes = check_facts(facts, self.gain, self._given_noise)
        if not self._goes_on:
            self.collected.clear()
        self._goes_on = False

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the collected spectrum and the state of the random numbers."""
        state, self._goes_on = checkpoint["mtf_fit"], True
        self.collected.load(state["collected"])
        self.simulated.generator.set_state(state["generator"].cpu())

    def _maximise(self) -> None:
        """Maximise the likelihood of what was collected, and stop."""
        self.collected.reduce(self.trainer.strategy.reduce)
        self._set_known_level()
        optimiser = self.optimizers()
        if not isinstance(optimiser, LightningOptimizer):
            raise TypeError(f"MTFFit needs the optimiser that it configured, got {optimiser!r}")
        spectrum = self.collected.measurement().spectrum
        value = torch.inf
        searches = minimise(
            self.model,
            spectrum,
            _stepper(optimiser),
            optimiser.optimizer.state.clear,
            self.n_starts,
        )
        for start, value in searches:
            self._trace({"trace/start": start, "trace/loss": value, **self._fitted()})
        self.log("train/loss", value / float(spectrum.ordinates.sum()), batch_size=1)
        self.log_dict(self._fitted(), batch_size=1)
        self.trainer.should_stop = True

    def _set_known_level(self) -> None:
        """Set s0 where the gain makes it known."""
        if self.gain is not None:
            level = white_level(self.collected.mean(), self.gain)
            if not level > 0:
                raise ValueError(f"a known gain needs a positive mean, got {float(level):g}")
            self.model.s0.copy_(level)

    def _fitted(self) -> dict[str, float]:
        """Parameters in their units by name, for loggers."""
        plain = PlainParameters(self.model)
        return {f"mtf/{n}": v for n, v in zip(plain.names, plain.values.tolist(), strict=True)}

    def _trace(self, values: dict[str, float]) -> None:
        """Log a point of a search, of which an epoch has many."""
        for logger in self.loggers:
            logger.log_metrics(values, step=self.global_step)


def _stepper(optimiser: LightningOptimizer) -> Callable[[Callable[[], Tensor]], Tensor]:
    """Step of an optimiser through Lightning, which counts it."""

    def step(closure: Callable[[], Tensor]) -> Tensor:
        return torch.as_tensor(optimiser.step(closure))

    return step
