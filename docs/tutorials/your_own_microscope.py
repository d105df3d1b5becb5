# %% [markdown]
"""Your own microscope
===================

Modules in the order of the beam, and gradients through them all.
"""

# %%
import torch
from matplotlib import pyplot as plt

import difftem
from difftem.io.examples import example_structure
from difftem.modules import Detector, Dose, FlatIce, Lens, Multislice, Potential, Simulator

PIXEL, SLICE = 2.0, 65.0  # Å
atoms = difftem.read_structure(example_structure(), hydrogens="implicit").centered()
# 128 x 128 pixels, two slices; "solvated" atoms take the place of ice
potential = Potential(atoms, (128, 128), PIXEL, 2, SLICE, solvated=True, learnable=["positions"])
simulator = Simulator(
    potential,
    Multislice(PIXEL, SLICE, amplitude_contrast=0.07),
    Lens(PIXEL, defocus_um=1.5, cs_mm=2.7, learnable=["defocus_um"]),
    Dose(40.0, PIXEL),  # e/Å²
    Detector.from_preset("k3_300kv"),
    ice=FlatIce(thickness_nm=30.0),
)

# %% [markdown]
# Calling it takes a micrograph. The result holds what every stage made of the one before.

# %%
exposure = simulator(torch.Generator().manual_seed(0))
for name, image in exposure._asdict().items():
    print(f"{name}: {image.dtype}, mean {image.mean().item():.3g}")

# %% [markdown]
# `noise_free()` is the mean of all micrographs: what a loss compares with data. `learnable` said
# what gets a gradient, here the place of every atom (Å) and the defocus (µm).

# %%
simulator.noise_free().std().backward()
slope = simulator.lens.defocus_um.grad.item()
print(f"{slope:.3f} grey values per µm; by atoms {tuple(potential.positions.grad.shape)}")

# %% [markdown]
# A tensor instead of a number makes a batch: four defoci, four images, one exit wave. The middle
# two, 20 nm apart around 1.5 µm, say whether that gradient was right.

# %%
simulator.lens = Lens(PIXEL, defocus_um=torch.tensor([0.5, 1.49, 1.51, 3.0]), cs_mm=2.7)
with torch.no_grad():
    series = simulator.noise_free()
contrast = series.std((-2, -1))
difference = (contrast[2] - contrast[1]).item() / 0.02
print(f"{tuple(series.shape)}; by difference {difference:.3f} grey values per µm")
assert abs(difference / slope - 1) < 0.02
plt.figure(figsize=(12, 4.5))
plt.imshow(torch.cat([series[0], series[1], series[3]], dim=1).numpy(), "gray", origin="lower")
plt.title("0.5, 1.49 and 3 µm underfocus; axes in pixels")
plt.show()
