"""From a file of weights, or a name of those that come with the package, to a network."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import difftem.networks
from difftem.io.errors import InputError, input_error
from difftem.io.weights import Weights, read_weights
from difftem.networks import (
    BiasFreeUNet,
    DeviationNetwork,
    DnCNN,
    LatticeUNet,
    Noise2NoiseUNet,
    UNet,
)

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    each.__name__: each
    for each in (BiasFreeUNet, DeviationNetwork, DnCNN, LatticeUNet, Noise2NoiseUNet, UNet)
}
SHIPPED = Path(difftem.networks.__file__).parent / "shipped"


def shipped_names() -> list[str]:
    """Names of the weights that come with the package."""
    names = (each.stem for each in SHIPPED.glob("*.safetensors"))
    return sorted(name for name in names if not name.endswith("_deviation"))


def find_weights(name: str | Path) -> Path:
    """Find the file of weights.

    Parameters
    ----------
    name : str or Path
        One of `shipped_names`, or a path that ends in ``.safetensors``.

    Returns
    -------
    Path
        Of a file that exists, if it is a name.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if Path(name).suffix == ".safetensors":
        return Path(name)
    names = shipped_names()
    if str(name) not in names:
        known = ", ".join(names) or "none"
        raise InputError(
            f"unknown weights {str(name)!r}: give a file NAME.safetensors, or one of those in the "
            f"package: {known}; see difftem docs weights"
        )
    return SHIPPED / f"{name}.safetensors"


def load_network(name: str | Path) -> nn.Module:
    """Make a trained network.

    Parameters
    ----------
    name : str or Path
        As of `find_weights`.

    Returns
    -------
    Module
        In evaluation mode, float32, on the CPU; what the file says of it is its ``account``.

    Raises
    ------
    InputError
        For files that are damaged, foreign, or not those of the network that they name.
    """
    path = find_weights(name)
    found = build_network(read_weights(path), path)
    if isinstance(found, DeviationNetwork):
        rest = path.name.replace("_deviation", "")
        raise input_error(path, f"knows deviations, and does not denoise: give {rest}")
    return found


def load_deviation(name: str | Path) -> DeviationNetwork | None:
    """Load the network that knows the deviation of what the denoiser of a name makes.

    Parameters
    ----------
    name : str or Path
        As of `find_weights`.

    Returns
    -------
    DeviationNetwork or None
        That of NAME_deviation.safetensors beside the denoiser's weights; None if there is none.

    Raises
    ------
    InputError
        For files that are damaged or foreign.
    """
    path = deviation_path(find_weights(name))
    if not path.exists():
        return None
    found = build_network(read_weights(path), path)
    if not isinstance(found, DeviationNetwork):
        raise input_error(path, f"must hold a DeviationNetwork, got {type(found).__name__}")
    return found


def deviation_path(weights: Path) -> Path:
    """File of the deviation that belongs to a denoiser's weights."""
    return weights.with_name(f"{weights.stem}_deviation.safetensors")


def build_network(weights: Weights, path: str | Path) -> nn.Module:
    """Make the network of weights that were read.

    Parameters
    ----------
    weights : Weights
        From `read_weights`.
    path : str or Path
        For messages.

    Returns
    -------
    Module
        As from `load_network`.

    Raises
    ------
    InputError
        If tensors are not those of the network.
    """
    account = weights.account["network"]
    make, config = NETWORKS.get(account["class"]), account["config"]
    if make is None:
        raise input_error(
            path, f"network.class must be one of {', '.join(NETWORKS)}, got {account['class']!r}"
        )
    network = _made(make, config, path)
    shapes: list[dict[str, Any]] = [
        {name: tuple(each.shape) for name, each in tensors.items()}
        for tensors in (weights.tensors, network.state_dict())
    ]
    for key in [*shapes[1], *shapes[0]]:
        there, here = (each.get(key, "missing") for each in shapes)
        if there != here:
            raise input_error(path, f"shape of {key} is {there}, that of {account['class']} {here}")
    network.load_state_dict({k: v.float() for k, v in weights.tensors.items()})
    network.account = weights.account  # type: ignore[assignment]  # nn.Module takes any
    return network.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]  # as in Denoise


def _made(make: Callable[..., nn.Module], config: dict[str, Any], path: str | Path) -> nn.Module:
    """Make a network of the file's configuration, which may hold anything."""
    unknown = config.keys() - inspect.signature(make).parameters.keys()
    if unknown:
        raise input_error(path, f"network.config has unknown keys: {', '.join(sorted(unknown))}")
    numbers = [
        n for value in config.values() for n in (value if isinstance(value, list) else [value])
    ]
    if any(not isinstance(n, int) or n > 4096 for n in numbers) or len(numbers) > 64:
        raise input_error(path, f"network.config must hold small whole numbers, got {config}")
    try:
        return make(**config)
    except (TypeError, ValueError) as error:
        raise input_error(path, f"network.config: {error}") from error
