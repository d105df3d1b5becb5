"""Topaz, where an executable is named: a program of its own, called as its users call it."""

import subprocess
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.mrc import read_mrc, write_mrc
from experiments._base.denoisers import NamedDenoiser

MEAN, SPREAD = 1000.0, 100.0  # grey values: Topaz scales by what it finds


def topaz(executable: str, model: str) -> NamedDenoiser:
    """Denoise with a pretrained model of Topaz; whitened values go in as grey values."""

    def run(
        exposures: Tensor,
        electrons: float,
        generator: torch.Generator | None,
        pixel_size: float | None,
    ) -> Tensor:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            image = MEAN + SPREAD * exposures.mean(0)
            write_mrc(folder / "image.mrc", image.numpy(), pixel_size or 1.0)
            command = [executable, "denoise", "image.mrc", "-o", "out", "-m", model, "-d", "-1"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")
            found = torch.from_numpy(read_mrc(folder / "out" / "image.mrc").data.squeeze().copy())
        return (found.float() - MEAN) / SPREAD

    return NamedDenoiser(f"topaz {model}", f"topaz {model}", run)
