"""A focus series of one exit wave, in difftem."""

import torch

from difftem import read_structure
from difftem.modules import Beam, Lens, Multislice, Potential

beam = Beam(300)
potential = Potential(read_structure("chain.pdb").centered(), (128, 128), 1.0, 4, 20.0)
wave = Multislice(1.0, 20.0)(potential.slices(), beam)
lens = Lens(1.0, defocus_um=torch.tensor([0.5, 1.0, 1.5, 2.0, 2.5]), cs_mm=2.7)
series = lens.intensity(wave, beam)
