"""Weights of networks: tensors in a safetensors file, what they are in a JSON file beside it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.files import read_bytes, replacing
from difftem.io.text import read_text

FORMAT = "difftem network weights 1"
_KEYS: dict[str, type] = {"format": str, "network": dict, "sha256": str}


class Weights(NamedTuple):
    """Tensors by name, and the account of them.

    Attributes
    ----------
    tensors : dict of str to Tensor
        On the CPU.
    account : dict
        ``network`` (``class`` and ``config``), ``sha256``, and whatever its training wrote.
    """

    tensors: dict[str, Tensor]
    account: dict[str, Any]


def write_weights(
    path: str | Path,
    tensors: Mapping[str, Tensor],
    account: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Write NAME.safetensors and NAME.json.

    Parameters
    ----------
    path : str or Path
        ``NAME.safetensors``; its folder must be there.
    tensors : mapping of str to Tensor
        Of any device.
    account : mapping
        For the JSON file: plain values, with ``network``: its ``class`` and ``config``. Format and
        hash are added.
    overwrite : bool
        Replace files of these names.

    Raises
    ------
    InputError
        If the name does not end so, a file exists, or cannot be written.
    """
    path = _checked(path)
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    content = save(plain, metadata={"format": "pt"})
    known = {"format": FORMAT, **account, "sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(known, indent=1, allow_nan=False) + "\n"
    with (
        replacing(path.with_suffix(".json"), overwrite) as for_text,
        replacing(path, overwrite) as for_tensors,
    ):
        for_tensors.write_bytes(content)
        for_text.write_text(text, "utf-8")


def read_weights(path: str | Path) -> Weights:
    """Read NAME.safetensors and the NAME.json beside it.

    Parameters
    ----------
    path : str or Path
        ``NAME.safetensors``.

    Returns
    -------
    Weights
        All tensors finite, their file the one that the account was written of.

    Raises
    ------
    InputError
        If one of them is missing, damaged, of another kind, or not that of the other.
    """
    path = _checked(path)
    content = read_bytes(path)
    account = _read_account(path.with_suffix(".json"))
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, OverflowError) as error:
        raise input_error(path, f"no safetensors file, or not a whole one: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != account["sha256"]:
        raise input_error(
            path,
            f"not the weights that {path.with_suffix('.json').name} describes: sha256 is "
            f"{found[:12]}..., there {account['sha256'][:12]}...; take both files anew",
        )
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise input_error(path, f"{name} must hold finite numbers")
    return Weights(tensors, account)


def _checked(path: str | Path) -> Path:
    """Refuse another suffix."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise input_error(path, "weights must have a name that ends in .safetensors")
    return path


def _read_account(path: Path) -> dict[str, Any]:
    """Read the JSON file."""
    try:
        account = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise input_error(path, f"no JSON: {error}") from error
    if not isinstance(account, dict):
        raise input_error(path, "no account of weights: must hold names and values")
    for key, kind in _KEYS.items():
        if not isinstance(account.get(key), kind):
            raise input_error(path, f"no account of weights: no {key} in it")
    if account["format"] != FORMAT:
        raise input_error(path, f"format must be {FORMAT!r}, got {account['format']!r}")
    network = account["network"]
    if not isinstance(network.get("class"), str) or not isinstance(network.get("config"), dict):
        raise input_error(path, "network must have a class and a config")
    return account
