"""How long the shipped network takes for a frame."""

import time

import torch

from difftem.workflows.denoise.load_network import load_network
from difftem.workflows.denoise.network_method import NetworkMethod


def frame_seconds(weights: str, side: int = 1024, repeats: int = 3) -> dict[str, float]:
    """Time a network, Wiener's estimate included, on one thread.

    Returns
    -------
    dict
        Least CPU seconds, of the network and as balanced; and pixels a side.
    """
    method = NetworkMethod(load_network(weights))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, side, side, generator=generator)
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        with torch.no_grad():
            method(noise, 0.45)
        seconds.append(time.process_time() - start)
    return {"side": side, "network": round(min(seconds), 2)}
