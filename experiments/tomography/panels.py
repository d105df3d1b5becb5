"""Slices of reconstructions side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from experiments._base.panels import draw_rows
from experiments.tomography.score import Truth
from experiments.tomography.stacks import NOISE_FREE

TRUTH = "truth"
_SHOWN = "sirt"
_GREYS = 16  # half a byte: noise does not compress


def keep_slices(
    runs: Path,
    scene: str,
    seed: int,
    method: str,
    reconstruction: str,
    volume: Tensor,
    truth: Truth,
) -> None:
    """Keep the slices through the most matter of a volume, in units of the truth, and of the truth.

    Parameters
    ----------
    runs : Path
        Folder to keep them in.
    scene, seed, method, reconstruction
        What they are of.
    volume : Tensor
        ``(z, y, x)``.
    truth : Truth
        Of the series.
    """
    z = int(truth.matter.sum((1, 2)).argmax())
    y = int(truth.matter.sum((0, 2)).argmax())
    centred = (volume - volume.mean()) * truth.window
    scale = (centred * truth.seen).sum() / truth.seen.square().sum()
    for name, values in ((method, centred / scale), (TRUTH, truth.seen)):
        parts = {"across the beam": values[z].numpy(), "along the beam": values[:, y].numpy()}
        np.savez(_path(runs, scene, seed, name, reconstruction), **parts)


def draw_slices(runs: Path, scenes: list[str], config: dict[str, Any], path: Path) -> None:
    """Draw slices of all methods of the first seed, those of a row at one grey scale."""
    seed, rows = config["seeds"][0], []
    for scene in scenes:
        files = {
            name: _path(runs, scene, seed, name, _SHOWN)
            for name in (*config["methods"], NOISE_FREE, TRUTH)
        }
        kept = {name: np.load(file) for name, file in files.items() if file.is_file()}
        for cut in ("across the beam", "along the beam"):
            images = {name: torch.from_numpy(each[cut]) for name, each in kept.items()}
            rows.append((f"{scene}, {cut}", images))
    draw_rows(rows, path, "SIRT; one grey scale in each row", 4.0, 64)
    few = Image.open(path).quantize(_GREYS)
    few.save(path, optimize=True)


def _path(runs: Path, scene: str, seed: int, method: str, reconstruction: str) -> Path:
    return runs / f"slices_{scene}_{seed}_{method}_{reconstruction}.npz"
