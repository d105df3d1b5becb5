"""Gradient maps of every network at the same pixels of the same frame."""

from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from difftem.analysis.atomic_columns import FoundColumns
from difftem.analysis.gradient_map import gradient_maps, network_function, wiener_function
from difftem.analysis.vacuum import find_vacuum
from difftem.pictures import draw_array
from difftem.workflows.analyze.figures import draw_reach, draw_row
from difftem.workflows.analyze.gradients import COLUMN_DISTANCE, NamedGradient
from experiments._base.rows import Row
from experiments.sbd_analysis.scenes import Scene
from experiments.sbd_analysis.score import PIXEL, counted

_COLUMN, _NEIGHBOURS = 0.6, 3.6  # Å: around a column, and to the furthest neighbour


def pixels_of(scene: Scene) -> dict[str, tuple[int, int]]:
    """(y, x) of a column at the surface, of one in the bulk of the particle, and of vacuum."""
    sites = scene.sites
    highest = sites[int(sites[:, 1].argmin())]
    inner = scene.columns[~scene.surface]
    bulk = inner[int((inner - sites.mean(0)).norm(dim=1).argmin())]
    found = find_vacuum(scene.present.float(), scene.columns, PIXEL)
    pixels = {
        name: (round(float(y)), round(float(x)))
        for name, (x, y) in (("surface", highest), ("bulk", bulk))
    }
    return pixels | ({"vacuum": found.deepest} if found is not None else {})


def network_gradients(
    networks: dict[str, nn.Module | None], scene: Scene, config: dict[str, Any]
) -> dict[str, list[NamedGradient]]:
    """Differentiate every network, and Wiener's filter where there is none.

    Parameters
    ----------
    networks : dict
        By name; None stands for Wiener's filter.
    scene : Scene
        Whose frame with all columns is denoised.
    config : dict
        Of the experiment.

    Returns
    -------
    dict of str to list of NamedGradient
        For each network, one for each pixel.
    """
    counts = counted(scene, "present", int(config["gradient"]["seed"]), config)
    values = (counts - counts.mean()) / counts.mean().sqrt()
    pixels = pixels_of(scene)
    found = {}
    for name, network in networks.items():
        function = wiener_function(values) if network is None else network_function(network, values)
        maps = gradient_maps(function, values, list(pixels.values()))
        found[name] = [
            NamedGradient(
                pixel,
                each,
                each.energy_beyond(COLUMN_DISTANCE / PIXEL),
                each.lobes(scene.columns, _COLUMN / PIXEL, _NEIGHBOURS / PIXEL),
            )
            for pixel, each in zip(pixels, maps, strict=True)
        ]
    return found


def gradient_rows(gradients: dict[str, list[NamedGradient]]) -> list[Row]:
    """One row for each network and pixel."""
    return [
        {
            "network": name,
            "pixel": each.name,
            "value": each.gradient.value,
            "net_bias": each.gradient.net_bias,
            "beyond_percent": 100 * each.beyond,
            "lobes": each.lobes,
            "averaged_pixels": each.gradient.averaged_pixels,
            "largest_weight": float(each.gradient.row.abs().max()),
        }
        for name, found in gradients.items()
        for each in found
    ]


def draw_gradients(
    gradients: dict[str, list[NamedGradient]], scene: Scene, clean: Tensor, path: Path
) -> None:
    """Draw one row of maps for each network, the clean image with the pixels above them."""
    n = 1 + max(len(found) for found in gradients.values())
    figure = Figure(figsize=(3.6 * n, 3.7 * (len(gradients) + 1)), layout="constrained")
    axes = figure.subplots(len(gradients) + 1, n, squeeze=False)
    columns = FoundColumns(scene.columns, torch.ones(len(scene.columns)))
    first = next(iter(gradients.values()))
    for axis in axes[0]:
        axis.axis("off")
    for axis, each in zip(axes[0], first, strict=False):
        y, x = each.gradient.pixel
        reach = round(11 / PIXEL)
        draw_array(axis, clean, (0.6, 1.5))
        axis.plot(x, y, "+", color="red", markersize=12)
        axis.set_xlim(max(x - reach, 0), min(x + reach, clean.shape[1] - 1))
        axis.set_ylim(max(y - reach, 0), min(y + reach, clean.shape[0] - 1))
        axis.set_title(f"{each.name}, without noise", fontsize=10)
    for line, (name, found) in zip(axes[1:], gradients.items(), strict=True):
        for axis, each in zip(line, found, strict=False):
            draw_row(axis, each, columns, PIXEL)
        line[0].set_ylabel(name, fontsize=11)
        draw_reach(line[n - 1], [(each.name, each) for each in found], PIXEL)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=70, metadata={"Software": None})
