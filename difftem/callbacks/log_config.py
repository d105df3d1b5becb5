"""The resolved configuration of a run, in its folder and in W&B."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.cli import SaveConfigCallback


class LogConfig(SaveConfigCallback):
    """Write ``config.yaml`` into the run's folder, and hand its values to W&B."""

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Hand the resolved configuration to W&B.

        Parameters
        ----------
        trainer : Trainer
            Whose loggers are used.
        pl_module : LightningModule
            Not used.
        stage : str
            Not used.
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
