"""The device that a configuration names."""

import torch


def accelerator_device(name: str, option: str = "accelerator") -> torch.device:
    """Device of a name.

    Parameters
    ----------
    name : {"cpu", "cuda"}
        As configured.
    option : str
        How the user calls it.

    Returns
    -------
    torch.device
        To compute on.

    Raises
    ------
    ValueError
        If it is not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"{option} {name}: PyTorch finds no CUDA device here")
    return torch.device(name)
