"""Spectra and images, real and simulated side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from difftem.pictures import draw_array

COLOURS = {"real": "black", "simulated": "tab:red", "frozen": "tab:orange", "even ice": "tab:blue"}


def draw(
    found: Mapping[str, Mapping[str, Mapping[str, Any]]], config: Mapping[str, Any], path: Path
) -> None:
    """Write a figure: for each camera its spectra, a real and a simulated crop."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, rows = plt.subplots(len(found), 3, figsize=(13, 4.2 * len(found)), squeeze=False)
    for axes, (camera, kinds) in zip(rows, found.items(), strict=True):
        for kind, each in kinds.items():
            axes[0].semilogy(
                each["frequency"], each["power"], color=COLOURS[kind], label=kind, linewidth=1
            )
        axes[0].axvspan(*config["ring"], color="0.9")
        axes[0].set(xlabel="frequency, 1/Å", ylabel="power over squared mean, Å²", title=camera)
        axes[0].set_xlim(0.02, None)
        shown = [value for each in kinds.values() for value in each["power"][3:]]
        axes[0].set_ylim(0.7 * min(shown), 1.5 * sorted(shown)[int(0.98 * len(shown))])
        axes[0].legend(frameon=False)
        for axis, kind in zip(axes[1:], ("real", "simulated"), strict=True):
            crop = kinds[kind]["crop"].double()
            crop = crop.unfold(0, 2, 2).unfold(1, 2, 2).mean((-2, -1))
            spread = 3 * float(crop.std())
            middle = float(crop.mean())
            draw_array(axis, crop, (middle - spread, middle + spread))
            axis.set(title=f"{camera}, {kind}, binned by 2", xticks=[], yticks=[])
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)
