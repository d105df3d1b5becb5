"""What networks make of a held-out model and of SBD's image."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from experiments._base.denoisers import NamedDenoiser
from experiments._base.nanoparticle_frames import PIXEL_SIZE, held_out_frames, sbd_frames
from experiments._base.panels import draw_rows

_SHOWN = (
    "wiener",
    "bmnd",
    "unshuffled_44, seed 0",
    "unshuffled_408, seed 0",
    "atoms, no balance",
    "atoms",
)
_FEW = ("counts", "wiener", "bmnd", "atoms", "clean")


def draw_pictures(
    denoisers: Sequence[NamedDenoiser], arguments: argparse.Namespace, folder: Path
) -> None:
    """Draw noisy, denoised and clean, all at the grey scale of the clean one.

    ``sbd_denoised.png`` shows the set's alone, by few methods; ``denoised.png`` everything.
    """
    frames = list(held_out_frames(arguments.set, 3, [0]))
    own = len(frames)
    if arguments.sbd_image.is_file():
        frames += list(sbd_frames(arguments.sbd_image, [0]))
    rows = []
    for frame in frames:
        images = {"counts": frame.counts / frame.vacuum - 1}
        for denoiser in denoisers:
            if denoiser.name in _SHOWN:
                with torch.no_grad():
                    found = denoiser.run(frame.whitened[None], frame.electrons, None, PIXEL_SIZE)
                images[denoiser.name] = frame.intensity(found) - 1
        images["clean"] = frame.clean - 1
        rows.append((frame.name, images))
    draw_rows(rows, folder / "denoised.png", "intensity less 1", spread=3.0)
    few = [
        ("", {name: image for name, image in images.items() if name in _FEW})
        for _, images in rows[:own]
    ]
    draw_rows(few, folder / "sbd_denoised.png", spread=3.0, dpi=80)
