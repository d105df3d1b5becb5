"""The device that a configuration names."""

import torch


def accelerator_device(name: str, option: str = "accelerator") -> torch.device:
    """Device that a configuration names, "cpu" or "cuda"; `ValueError` where there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"{option} {name}: PyTorch finds no CUDA device here; see difftem docs kernels"
        )
    return torch.device(name)
