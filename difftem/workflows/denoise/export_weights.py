"""Write what a training has reached as weights that `load_network` takes."""

import math
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch import Callback
from torch import Tensor

from difftem import __version__
from difftem.io.errors import input_error
from difftem.io.weights import write_weights


class ExportWeights(Callback):
    """Write NAME.safetensors and NAME.json after every validation and at the end of a fit.

    They hold the weights that were validated: averaged ones where a callback averages. JSON says
    how they were made: the network, version and commit, steps, seconds, the task's and the data's
    values (its ``provenance``, if it has any), the pixel size and electrons that it is for (the
    data's ``domain``, if it has any), and the numbers of the last validation.

    Parameters
    ----------
    name : str
        Of the files.
    folder : str or Path, optional
        Where they go. Default: the run's folder.
    """

    def __init__(self, name: str = "denoiser", folder: str | Path | None = None) -> None:
        super().__init__()
        if not name or Path(name).name != name:
            raise ValueError(f"name must be a file's name without a folder, got {name!r}")
        self.name, self.folder = name, folder
        self._seconds, self._since = 0.0, time.monotonic()
        self._tensors: dict[str, Tensor] = {}
        self._validated: dict[str, float] = {}

    def state_dict(self) -> dict[str, Any]:
        """Keep the time spent so far."""
        return {"seconds": self._spent()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the time of the run that is continued."""
        self._seconds = float(state_dict["seconds"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Any,
        batch_idx: int,
        *_: Any,
    ) -> None:
        """Take the weights that are validated; before, other callbacks may still put them there."""
        if batch_idx == 0:
            self._tensors = _copied(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write them with their numbers."""
        if trainer.sanity_checking or not self._tensors:
            return
        found = {k: float(v) for k, v in trainer.callback_metrics.items() if k.startswith("val/")}
        self._validated = {"step": trainer.global_step, **found}
        self._write(trainer, pl_module, self._tensors)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last weights."""
        if self._validated.get("step") != trainer.global_step:
            self._write(trainer, pl_module, _copied(pl_module))

    def _write(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, tensors: Mapping[str, Tensor]
    ) -> None:
        """Write both files; of a trial run, none."""
        fast = getattr(trainer, "fast_dev_run", False)
        folder = self.folder if self.folder is not None else trainer.log_dir
        if not trainer.is_global_zero or fast or folder is None:
            return
        network: Any = pl_module.network
        data = getattr(trainer, "datamodule", None)
        domain = _plain(getattr(data, "domain", None))
        account = {
            "network": {"class": type(network).__name__, "config": network.config},
            "difftem": {"version": __version__, "commit": _commit()},
            "training": {
                "steps": trainer.global_step,
                "seconds": round(self._spent(), 1),
                "processes": trainer.world_size,
                "task": _plain(dict(pl_module.hparams)),
                "data": None if data is None else type(data).__name__,
                "data_values": _plain(getattr(data, "provenance", None)),
            },
            **({} if domain is None else {"domain": domain}),
            "validation": {k: v for k, v in self._validated.items() if math.isfinite(v)},
        }
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise input_error(folder, f"cannot be made: {error.strerror}") from error
        write_weights(Path(folder) / f"{self.name}.safetensors", tensors, account, overwrite=True)

    def _spent(self) -> float:
        """Seconds of this run and of those it continues."""
        return self._seconds + time.monotonic() - self._since


def _copied(pl_module: pl.LightningModule) -> dict[str, Tensor]:
    """Copy the network's tensors."""
    network: Any = pl_module.network
    return {k: v.detach().cpu().clone() for k, v in network.state_dict().items()}


def _commit() -> str | None:
    """Commit of the source that runs; None where it is no checkout."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into text, and paths into names."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if not str(k).startswith("_")}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.name if isinstance(value, Path) else str(value)
