"""Callbacks of trainings that an experiment makes: their CPU time, and no report."""

import json
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from difftem.callbacks import LogReport

_KEPT = 64  # steps


class StepClock(Callback):
    """Write the CPU time of a training, and of its first steps, that of its images included.

    A training that goes on from a checkpoint goes on counting.

    Parameters
    ----------
    path : str
        JSON file: ``cpu_seconds``, and ``steps``, seconds from the start to the end of each.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = Path(path)
        self.steps: list[float] = []
        self.before, self.start = 0.0, time.process_time()

    @property
    def seconds(self) -> float:
        """CPU time so far."""
        return self.before + time.process_time() - self.start

    def state_dict(self) -> dict[str, Any]:
        """Keep the time in a checkpoint."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it up."""
        self.before = float(state_dict["seconds"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.start = time.process_time()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the step."""
        if len(self.steps) < _KEPT:
            self.steps.append(round(self.seconds, 4))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write."""
        found = {"cpu_seconds": round(self.seconds, 1), "steps": self.steps}
        self.path.write_text(json.dumps(found) + "\n", "utf-8")


class NoReport(LogReport):
    """Report nothing: the experiment scores its networks itself."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen to nothing."""

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write nothing."""
