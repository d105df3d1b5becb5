"""Checkpoints: a file on this machine without code in it, of the model of a configuration."""

import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from difftem.io.errors import input_error
from difftem.simulation.settings import plain

_REMEDY = "take the configuration of its run"
_CONNECTOR = "lightning.pytorch.trainer.connectors.checkpoint_connector"


def checkpoint_file(given: str) -> Path:
    """Find the file of a checkpoint; nothing is fetched from elsewhere.

    Parameters
    ----------
    given : str
        As on the command line.

    Returns
    -------
    Path
        With all folders before it, so that Lightning takes it for nothing else.

    Raises
    ------
    InputError
        If it is a word, an address, a folder or a file that is not there.
    """
    path = Path(given).expanduser()
    if path.is_file() and "::" not in given:
        return path.resolve()
    found = "is no file" if path.exists() else "no such file"
    raise input_error(
        given,
        f"{found}: --ckpt_path must name a checkpoint on this machine, such as "
        "RUN/checkpoints/last.ckpt",
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is refused anyway
            # Pickles may hold any code: tensors and plain values are enough.
            content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # the reader trusts its bytes: garbage raises anything
        raise input_error(path, "not a checkpoint, or not a whole one") from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise input_error(path, "not a checkpoint of Lightning: no state_dict in it")
    state, made_with = content["state_dict"], content.get("hyper_parameters", {})
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise input_error(path, "not a checkpoint of Lightning: its state_dict holds no tensors")
    if not isinstance(made_with, Mapping):
        raise input_error(path, "not a checkpoint of Lightning: hyper_parameters without names")
    for name, value in _tensors("optimizer_states", content.get("optimizer_states"), dict(state)):
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise input_error(path, f"{name} holds NaN or infinity: that run had diverged")
    return content


def _tensors(key: str, value: Any, found: dict[str, Any] | None = None) -> Iterator[Any]:
    """List tensors under dotted names: those found before, and those inside a value."""
    yield from (found or {}).items()
    if torch.is_tensor(value):
        yield key, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _tensors(f"{key}.{name}", each)
    elif isinstance(value, list | tuple):
        for i, each in enumerate(value):
            yield from _tensors(f"{key}[{i}]", each)


def restoring_error(path: str | Path, error: Exception) -> Exception:
    """Say that a checkpoint lacks something, if that is where Lightning stopped.

    Parameters
    ----------
    path : str or Path
        Of the checkpoint.
    error : Exception
        As raised by a run that was given a checkpoint.

    Returns
    -------
    Exception
        An `InputError`, or the error itself.
    """
    frames = traceback.walk_tb(error.__traceback__)
    if not any(frame.f_globals["__name__"] == _CONNECTOR for frame, _ in frames):
        return error
    what = f"{type(error).__name__}: {error}"
    return input_error(path, f"not a whole checkpoint of Lightning, or of another task: {what}")


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
