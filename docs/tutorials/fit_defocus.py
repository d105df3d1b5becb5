# %% [markdown]
"""Fit a defocus
=============

First a coarse grid, then the gradient.
"""

# %%
import torch
from matplotlib import pyplot as plt

import difftem
from difftem.io.examples import example_structure
from difftem.modules import Detector, Dose, FlatIce, Lens, Multislice, Potential, Simulator

atoms = difftem.read_structure(example_structure(), hydrogens="implicit", selection="//A,B")
atoms.b_factors.fill_(20.0)  # Å²: sharper than they are in this entry
potential = Potential(atoms.centered(), (160, 160), 1.0, 1, 70.0, solvated=True)  # one slice
stages = Multislice(1.0, 70.0), Lens(1.0, 1.5), Dose(60.0, 1.0), Detector.from_preset("k3_300kv")
simulator = Simulator(potential, *stages, ice=FlatIce(30.0))
data = simulator(torch.Generator().manual_seed(0)).micrograph
wave = simulator.exit_wave()  # once: defocus changes nothing before the lens


def loss(lens):
    """Mean squared difference of the data from a noise-free image, grey values squared."""
    simulator.lens = lens
    expected = simulator.detector.expected(simulator.expected_counts(simulator.image(wave)[1]))
    return (expected - data).square().mean((-2, -1))


def descend(start):
    """Follow the gradient from a defocus in µm, in steps of some 5 nm."""
    lens = Lens(1.0, start, learnable=["defocus_um"])
    optimizer = torch.optim.Adam(lens.parameters(), lr=0.005)
    for _ in range(40):
        optimizer.zero_grad()
        optimizer.step(lambda: loss(lens).backward())
    return lens.defocus_um.item()


# %% [markdown]
# Detail of size d has the contrast sin(πλΔf/d²), which turns over with every d²/λ of defocus: 46 nm
# for 3 Å at 300 kV. So the loss has many valleys, and a gradient finds the bottom of the nearest,
# 1.30 µm from 1.35 µm, where the truth is 1.5 µm:

# %%
trapped = descend(1.35)

# %% [markdown]
# So try a grid of 20 nm first (a tensor is a batch). The curvature at the bottom gives the error.

# %%
grid = torch.arange(0.49, 2.5, 0.02)  # µm
losses = loss(Lens(1.0, grid))
fitted = descend(grid[losses.argmin()].item())
low, bottom, high = loss(Lens(1.0, fitted + torch.tensor([-0.004, 0.0, 0.004]))).tolist()
error = (2 * bottom / data.numel() / ((low - 2 * bottom + high) / 0.004**2)) ** 0.5  # µm
print(f"from 1.35 µm to {trapped:.3f}, from the grid to {fitted:.4f} ± {error:.4f} µm")
plt.plot(grid, losses, "-", [trapped, fitted], loss(Lens(1.0, [trapped, fitted])), "o")
plt.gca().set(xlabel="defocus (µm)", ylabel="mean squared difference", title="Two ends of a fit")
plt.show()
assert abs(fitted - 1.5) < 2 * error < 0.01 < 0.05 < abs(trapped - 1.5)
