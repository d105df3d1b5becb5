"""Hyperparameters of a task without the modules among its arguments."""

import inspect
import warnings
from types import FrameType

from lightning.pytorch import LightningModule
from torch import nn


def save_plain_hyperparameters(task: LightningModule, frame: FrameType | None = None) -> None:
    """Save the arguments of a task's ``__init__``, but no modules: their state is saved anyway.

    Parameters
    ----------
    task : LightningModule
        Calls this in its ``__init__``.
    frame : FrameType, optional
        Of that ``__init__``. Default: the caller's.
    """
    here = inspect.currentframe()
    frame = here.f_back if frame is None and here is not None else frame
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Attribute '.*' is an instance")
        task.save_hyperparameters(frame=frame)
    for kept in (task._hparams, task._hparams_initial):  # one goes to files, one to loggers
        if isinstance(kept, dict):
            for name in [n for n, value in kept.items() if isinstance(value, nn.Module)]:
                del kept[name]
