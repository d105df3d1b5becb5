"""Make pictures of the site's gallery: ``python -m experiments.gallery.pictures``."""

import argparse
from pathlib import Path
from typing import Any

import torch
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

import difftem
from difftem.io.examples import example_structure
from difftem.modules import Detector, Dose, FlatIce, Lens, Multislice, Potential, Simulator
from difftem.pictures import draw_array, grey_limits
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging
from difftem.simulation.nanoparticles.item import image_model

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PIXEL, SIDE = 2.0, 128  # Å, pixels
STEPS, SHOWN = 60, 4  # of the fit; every fourth is a frame of the movie
TRUTH = {"defocus_um": 1.5, "astigmatism_um": 0.3, "astigmatism_angle_deg": 30.0}
START = {"defocus_um": 1.0, "astigmatism_um": 0.1, "astigmatism_angle_deg": 75.0}


def panels(n: int, width: float, height: float) -> tuple[Figure, list[Any]]:
    """Lay panels side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, n, squeeze=False)[0])
    for each in axes:
        each.set_axis_off()
    return figure, axes


def microscope() -> Simulator:
    """Apoferritin in ice, whose atoms and lens are learnable."""
    atoms = difftem.read_structure(example_structure(), hydrogens="implicit").centered()
    potential = Potential(
        atoms, (SIDE, SIDE), PIXEL, 1, 130.0, solvated=True, learnable=["positions"]
    )
    stages = Multislice(PIXEL, 130.0), Lens(PIXEL), Dose(60.0, PIXEL)
    return Simulator(potential, *stages, Detector.from_preset("k3_300kv"), ice=FlatIce(30.0))


def focus_series(path: Path) -> None:
    """Draw a focus series of platinum on ceria, from one exit wave."""
    imaging = NanoparticleImaging(
        defocus_um=(-0.012, 0.012), n_defocus=5, spread_defocus=False, blur=(0.5, 0.5)
    )
    images = image_model(NanoparticleSetConfig(n_models=1, seed=2, imaging=imaging), 0)
    figure, axes = panels(5, 12.5, 2.8)
    for axis, image, row in zip(axes, images.images, images.rows, strict=True):
        draw_array(axis, image, (0.6, 1.5))
        axis.set_title(f"{1000 * float(row['defocus_um']):+.0f} nm")
    figure.savefig(path, dpi=80, metadata={"Software": None})


def atom_gradient(path: Path) -> None:
    """Draw by how much each atom would have to move to lower a misfit."""
    simulator = microscope()
    data = simulator(torch.Generator().manual_seed(0)).micrograph.detach()
    simulator.noise_free().sub(data).square().mean().backward()
    places = simulator.specimen.positions
    size = places.grad[:, :2].norm(dim=1)
    figure, axes = panels(2, 8.0, 4.0)
    half = SIDE * PIXEL / 2
    draw_array(axes[0], data, extent=(-half, half, -half, half))
    axes[0].set_title("micrograph")
    order = size.argsort()
    x, y = places.detach()[order, :2].T
    axes[1].scatter(x, y, c=size[order], s=0.4, cmap="magma", vmax=float(size.quantile(0.99)))
    axes[1].set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    axes[1].set_title("gradient by each atom's place")
    figure.savefig(path, dpi=80, metadata={"Software": None})


def fit(simulator: Simulator, data: Tensor) -> list[tuple[dict[str, float], Tensor]]:
    """Follow the gradient of a lens from a wrong start, and keep every step."""
    with torch.no_grad():
        wave = simulator.exit_wave()  # once: the lens changes nothing before itself
    lens = simulator.lens = Lens(PIXEL, **START, learnable=list(START))
    optimizer = torch.optim.Adam(
        [
            {"params": [lens.defocus_um, lens.astigmatism_um], "lr": 0.03},
            {"params": [lens.astigmatism_angle_deg], "lr": 2.0},
        ]
    )
    kept = []
    for _ in range(STEPS + 1):
        image = simulator.expected_counts(simulator.image(wave)[1])
        expected = simulator.detector.expected(image)
        values = {name: getattr(lens, name).item() for name in START}
        kept.append((values, expected.detach()))
        optimizer.zero_grad()
        (expected - data).square().mean().backward()
        optimizer.step()
    return kept


def movie(path: Path) -> None:
    """Draw a fit of defocus and astigmatism, step by step, as a GIF."""
    simulator = microscope()
    simulator.lens = Lens(PIXEL, **TRUTH)
    with torch.no_grad():
        data = simulator(torch.Generator().manual_seed(0)).micrograph
    kept = fit(simulator, data)
    figure, axes = panels(3, 7.2, 2.7)
    low, high = limits = grey_limits(data)
    differences = (low - high) / 2, (high - low) / 2
    scales = (limits, limits, differences)
    shown = [draw_array(axis, data, each) for axis, each in zip(axes, scales, strict=True)]
    axes[0].set_title("data")

    def draw(step: int) -> list[Any]:
        values, expected = kept[step]
        size, angle = values["astigmatism_um"], values["astigmatism_angle_deg"]
        if size < 0:  # the same, at right angles
            size, angle = -size, angle - 90
        shown[1].set_data(expected)
        shown[2].set_data(data - expected)
        axes[1].set_title(
            f"{values['defocus_um']:.2f} µm, {1000 * size:.0f} nm at {angle:.0f}°",
            fontsize=10,
        )
        axes[2].set_title(f"difference, step {step}", fontsize=10)
        return shown

    steps = [*range(0, STEPS + 1, SHOWN), *[STEPS] * 5]
    FuncAnimation(figure, draw, steps).save(path, PillowWriter(fps=5), dpi=50)
    print(f"{path.name}: {kept[-1][0]}, truth {TRUTH}")


def main() -> None:
    """Write the pictures into ``docs/images``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    focus_series(IMAGES / "focus_series.png")
    atom_gradient(IMAGES / "atom_gradient.png")
    movie(IMAGES / "fit_lens.gif")


if __name__ == "__main__":
    main()
