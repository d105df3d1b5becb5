"""The gradient of a loss by the positions of atoms, in difftem."""

import numpy as np
import torch

from difftem import read_structure
from difftem.modules import Beam, Lens, Multislice, Potential

observed = torch.from_numpy(np.load("observed.npy"))
beam, atoms = Beam(300), read_structure("chain.pdb")
potential = Potential(atoms, (128, 128), 1.0, 4, 20.0, learnable=["positions"])
wave = Multislice(1.0, 20.0)(potential.slices(), beam)
image = Lens(1.0, defocus_um=1.5, cs_mm=2.7).intensity(wave, beam)
(image - observed).square().mean().backward()
gradient = potential.positions.grad
