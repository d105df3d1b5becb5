"""One site of several models, with its column and without it."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from difftem.analysis.column_evidence import CountDenoiser
from difftem.pictures import draw_array
from experiments.sbd_analysis.scenes import Scene
from experiments.sbd_analysis.score import PIXEL, counted, evidence

_REACH = 5.5  # Å around a site


def draw_sites(
    denoise: CountDenoiser, scenes: list[Scene], config: dict[str, Any], path: Path
) -> list[str]:
    """Draw truth and denoised image of a site, and the verdict of its counts.

    Parameters
    ----------
    denoise : callable
        Counts to expected counts.
    scenes : list of Scene
        One column of the picture each.
    config : dict
        Of the experiment.
    path : Path
        PNG to write.

    Returns
    -------
    list of str
        The verdicts, with the column and without it for each scene.
    """
    figure = Figure(figsize=(3.1 * len(scenes), 13.2), layout="constrained")
    axes = figure.subplots(4, len(scenes), squeeze=False)
    verdicts = []
    reach = round(_REACH / PIXEL)
    for column, scene in zip(axes.T, scenes, strict=True):
        px, py = scene.sites[0].round().int().tolist()
        for (top, below), kind in zip((column[:2], column[2:]), ("present", "absent"), strict=True):
            frame = int(config["shown"]["seed"])
            found = evidence(denoise, scene, kind, frame, config)
            supported = bool(found.supported[0])
            verdicts.append("supported" if supported else "not supported")
            truth = config["vacuum"] * (scene.present if kind == "present" else scene.absent)
            expected = denoise(counted(scene, kind, frame, config))
            for axis, image in ((top, truth), (below, expected)):
                draw_array(axis, image, (0.28, 0.66))
                angle = np.linspace(0, 2 * np.pi, 80)
                radius = config["radius"] / PIXEL
                colour = "C2" if supported else "C3"
                axis.plot(px + radius * np.cos(angle), py + radius * np.sin(angle), colour)
                axis.set_xlim(max(px - reach, 0), min(px + reach, image.shape[1] - 1))
                axis.set_ylim(max(py - reach, 0), min(py + reach, image.shape[0] - 1))
                axis.set_xticks([])
                axis.set_yticks([])
            atoms = int(scene.atoms[0])
            top.set_title(
                f"model {scene.model}, {1e3 * scene.defocus_um:.0f} nm\n"
                + (f"{atoms} atoms there" if kind == "present" else "column taken out"),
                fontsize=9,
            )
            below.set_title(
                f"{verdicts[-1]}: {float(found.ratio[0]):.1f}, threshold "
                f"{float(found.threshold[0]):.1f} nats\np = {float(found.p_value[0]):.2f}; SBD's "
                f"ratio {float(found.vacuum_ratio[0]):.1f}",
                fontsize=9,
            )
    for axis, name in zip(axes[:, 0], ("truth", "denoised") * 2, strict=True):
        axis.set_ylabel(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=60, metadata={"Software": None})
    return verdicts
