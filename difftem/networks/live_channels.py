"""Which channels of a network still do something: networks die under smooth loss curves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS = (nn.LeakyReLU, nn.ReLU, nn.PReLU, nn.GELU, nn.SiLU, nn.ELU)
_STILL = 1e-5  # of the strongest channel ever seen: less than this is no variation


class DeadNetworkError(ValueError):
    """A level of a network passes nothing on.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import DeadNetworkError, check_alive
    >>> dead = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU())
    >>> _ = torch.nn.init.constant_(dead[0].bias, -100.0)
    >>> try:
    ...     check_alive(dead, torch.randn(1, 1, 16, 16))
    ... except DeadNetworkError:
    ...     print("this network passes nothing on")
    this network passes nothing on
    """


@torch.no_grad()
def live_channels(
    module: nn.Module,
    inputs: Tensor,  # (b, c, y, x)
) -> dict[str, float]:
    """Fraction of the channels of every level that vary.

    A channel is live when its values differ over pixels and images by more than 1e-5 of the
    inputs' standard deviation.

    Parameters
    ----------
    module : Module
        Network with activations that are modules. A level is what is called as such, e.g.
        ``encoder.2``: the first two parts of the activations' names.
    inputs : Tensor
        What it takes; a few images of the kind it is trained on.

    Returns
    -------
    dict of str to float
        By level, in the order of the network: the smallest fraction among its activations.

    Raises
    ------
    ValueError
        For a network without activations, or inputs that do not vary.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import UNet, live_channels
    >>> levels = live_channels(UNet(channels=(8, 8)), torch.randn(2, 1, 32, 32))
    >>> all(0 <= fraction <= 1 for fraction in levels.values())
    True
    """
    least = _STILL * float(inputs.std())
    if not least > 0:
        raise ValueError("inputs must vary: channels of a constant image tell nothing")
    found: dict[str, float] = {}

    def note(level: str, values: Tensor) -> None:
        spread = values.float().transpose(0, 1).flatten(1).std(1)
        live = float((spread > least).float().mean())
        found[level] = min(live, found.get(level, 1.0))

    with _watched(module, note):
        training = module.training
        module.eval()
        module(inputs)
        module.train(training)
    if not found:
        raise ValueError(f"{type(module).__name__} has no activations to watch")
    return found


def check_alive(
    module: nn.Module,
    inputs: Tensor,  # (b, c, y, x)
) -> dict[str, float]:
    """Refuse a network that has a level without a live channel.

    Parameters
    ----------
    module, inputs
        As of `live_channels`.

    Returns
    -------
    dict of str to float
        From `live_channels`.

    Raises
    ------
    DeadNetworkError
        Naming the levels.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import UNet, check_alive
    >>> levels = check_alive(UNet(channels=(8, 8)), torch.randn(2, 1, 32, 32))
    >>> min(levels.values()) > 0
    True
    """
    live = live_channels(module, inputs)
    dead = [level for level, fraction in live.items() if fraction == 0]
    if dead:
        raise DeadNetworkError(
            f"{type(module).__name__} is dead: no channel of {', '.join(dead)} varies with its "
            "input; lower the learning rate or begin from another seed"
        )
    return live


@contextmanager
def _watched(module: nn.Module, note: Any) -> Iterator[None]:
    """Call back with the level and output of every activation."""
    handles = []
    for name, each in module.named_modules():
        if isinstance(each, ACTIVATIONS):
            level = ".".join(name.split(".")[:2])

            def hook(_: nn.Module, __: Any, output: Tensor, level: str = level) -> None:
                note(level, output)

            handles.append(each.register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
