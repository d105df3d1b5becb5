"""Whether a checkpoint is that of the model of a configuration."""

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from difftem.io.errors import input_error
from difftem.simulation.settings import plain

_REMEDY = "take the configuration of its run"
_UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    AttributeError,
)


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint of Lightning.

    Parameters
    ----------
    path : str or Path
        File that exists.

    Returns
    -------
    dict
        Its content, tensors on the CPU.

    Raises
    ------
    InputError
        If the file is no checkpoint, or is truncated.
    """
    try:
        # Pickles may hold any code: tensors and plain values are enough.
        content = torch.load(path, weights_only=True, map_location="cpu")
    except _UNREADABLE as error:
        raise input_error(path, "not a checkpoint, or not a whole one") from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise input_error(path, "not a checkpoint of Lightning: no state_dict in it")
    return content


def check_options(path: str | Path, checkpoint: dict[str, Any], options: dict[str, Any]) -> None:
    """Refuse a checkpoint of a model that was made with other values.

    Parameters
    ----------
    path : str or Path
        For messages.
    checkpoint : dict
        From `read_checkpoint`.
    options : dict
        Plain values of a subcommand, with ``model``.

    Raises
    ------
    InputError
        Naming the first option that differs, and both values.
    """
    saved = dict(checkpoint.get("hyper_parameters", {}))
    model = options["model"]
    found = {"class_path": saved.pop("_class_path", model["class_path"]), "init_args": saved}
    _compare(path, "model", found, model)


def _compare(path: str | Path, key: str, saved: Any, now: Any) -> None:
    """Compare values, and mappings key by key where both have it."""
    if isinstance(saved, dict) and isinstance(now, dict):
        for name in saved:
            if name in now:
                _compare(path, f"{key}.{name}", saved[name], now[name])
    elif plain(saved) != plain(now):
        raise input_error(
            path, f"{key} is {saved!r} in this checkpoint, {now!r} in the configuration: {_REMEDY}"
        )


def check_state(path: str | Path, checkpoint: dict[str, Any], model: nn.Module) -> None:
    """Refuse a checkpoint whose tensors are not those of a model.

    Parameters
    ----------
    path : str or Path
        For messages.
    checkpoint : dict
        From `read_checkpoint`.
    model : Module
        Takes its state.

    Raises
    ------
    InputError
        Naming the first tensor that is missing, is of no use, or has another shape.
    """
    shapes, own = (
        {name: tuple(value.shape) for name, value in state.items() if torch.is_tensor(value)}
        for state in (checkpoint["state_dict"], model.state_dict())
    )
    for name in [*own, *shapes]:
        if shapes.get(name) != own.get(name):
            there, here = (each.get(name, "missing") for each in (shapes, own))
            raise input_error(
                path,
                f"{name} is {there} in this checkpoint, {here} in the configuration's model "
                f"(shapes): {_REMEDY}",
            )
