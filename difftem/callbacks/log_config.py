"""The resolved configuration of a run, in its folder and in W&B."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.cli import SaveConfigCallback

_HEADER = b"# lightning.pytorch=="  # that of files of LightningCLI


class LogConfig(SaveConfigCallback):
    """Write ``config.yaml`` into a fit's folder after its first step, and hand its values to W&B.

    A file that is not one of this callback's, or that the run was configured with, stays as it
    is: without a logger the run's folder may be the one that the user works in.

    Examples
    --------
    >>> from lightning.pytorch.cli import LightningCLI
    >>> from difftem.callbacks import LogConfig
    >>> from difftem.tasks.wave_fit import WaveFit
    >>> settings = {"save_config_callback": LogConfig, "seed_everything_default": False}
    >>> arguments = ["--model.shape=[8,8]", "--trainer.logger=false"]
    >>> cli = LightningCLI(WaveFit, run=False, args=arguments, **settings)
    >>> any(isinstance(each, LogConfig) for each in cli.trainer.callbacks)
    True
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Hand the values to W&B unless this is a fit, which may yet fail.

        Parameters
        ----------
        trainer : Trainer
            Whose loggers are used.
        pl_module : LightningModule
            Not used.
        stage : str
            Only ``fit`` has a file.
        """
        if stage != "fit":
            self.save_to_log_dir = False
            super().setup(trainer, pl_module, stage)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Write the file where there is none to lose, once a step has worked."""
        if self.already_saved:
            return
        file = Path(trainer.log_dir or ".") / self.config_filename
        # Rank 0 decides: it writes the file while others may still look at it.
        self.save_to_log_dir = trainer.strategy.broadcast(self._may_write(file))
        super().setup(trainer, pl_module, "fit")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the file of a fit that had no step to do."""
        self.on_train_batch_end(trainer, pl_module)

    def _may_write(self, file: Path) -> bool:
        """Whether there is no such file, or one of an earlier run that is not in use."""
        given = [Path(str(each)).resolve() for each in self.config.get("config") or ()]
        if file.resolve() in given:
            return False
        return not file.exists() or file.read_bytes().startswith(_HEADER)

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Hand the resolved configuration to W&B.

        Parameters
        ----------
        trainer : Trainer
            Whose loggers are used.
        pl_module : LightningModule
            Not used.
        stage : str
            Kept beside it: ``fit`` or ``test``.
        """
        resolved = self.config.clone().as_dict()
        for logger in trainer.loggers:
            if type(logger).__name__ == "WandbLogger":
                logger.log_hyperparams({"config": _plain(resolved), "stage": stage})


def _plain(value: Any) -> Any:
    """Turn what is no number, text, list or mapping into text."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value) if not isinstance(value, Path) else value.name
