# %% [markdown]
"""A Lightning task of your own
============================

A denoiser that learns from noisy and noise-free images.
"""

# %%
import lightning
import torch
from matplotlib import pyplot as plt
from torch import nn

import difftem
from difftem.io.examples import example_structure
from difftem.modules import Detector, Dose, Lens, Multislice, Pose, Potential, Simulator

torch.manual_seed(0)
atoms = difftem.read_structure(example_structure(), hydrogens="implicit", selection="//A,B,C")
pose = Pose(rotation_vector=2.0 * torch.randn(22, 3))  # rad; a batch of 22 particles
potential = Potential(atoms.centered(), (40, 40), 5.0, 1, 150.0, solvated=True, pose=pose)
lens, dose = Lens(5.0, defocus_um=2.0), Dose(20.0, 5.0)
simulator = Simulator(potential, Multislice(5.0, 150.0), lens, dose, Detector())
electrons = simulator.expected_counts(simulator.intensity())  # per pixel, shape (22, 40, 40)


def scaled(images):
    """Give images the mean 0, their noise the variance 1, and the network its channel."""
    return ((images - images.mean()) / images.mean().sqrt())[:, None]


class Denoise(lightning.LightningModule):
    """Learn to make noise-free images of the first 16 particles."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Conv2d(1, 8, 7, 1, 3), nn.ReLU(), nn.Conv2d(8, 1, 7, 1, 3))

    def training_step(self, _):
        """Read out again: other noise in each step."""
        _, micrographs = simulator.read_out(electrons[:16])
        return (self.network(scaled(micrographs)) - clean[:16]).square().mean()

    def configure_optimizers(self):
        """Let Adam do it."""
        return torch.optim.Adam(self.network.parameters(), lr=5e-3)


clean, task = scaled(simulator.noise_free()), Denoise()
quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
lightning.Trainer(max_epochs=1, accelerator="cpu", **quiet).fit(task, range(120))

# %% [markdown]
# The last six, which it never saw, tell whether it learned: noisy, denoised, noise-free.

# %%
noisy = scaled(simulator().micrograph)
images = torch.cat([noisy, task.network(noisy).detach(), clean], dim=1)[16:]
errors, signal = (images - clean[16:]).square().mean((0, 2, 3)), clean[16:].var()
print(f"mean squared error: noisy {errors[0]:.3f}, denoised {errors[1]:.3f}, signal {signal:.3f}")
rows = torch.cat(images.flip(1).unbind(), dim=2).flatten(0, 1)  # the noisy ones last: on top
plt.imshow(rows.numpy(), "gray", origin="lower")
plt.show()
assert errors[1] < signal / 2
