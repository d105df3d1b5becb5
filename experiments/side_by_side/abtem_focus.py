"""A focus series of one exit wave, in abTEM."""

import abtem
import ase.io
import numpy as np

atoms = ase.io.read("chain.pdb")
atoms.set_cell([128, 128, 80])
atoms.center()
peng = abtem.parametrizations.PengParametrization(sigmas=0.503)  # B = 20 Å², of all elements
potential = abtem.Potential(atoms, sampling=1.0, slice_thickness=20, parametrization=peng)
wave = abtem.PlaneWave(energy=300e3).multislice(potential)
focus = np.array([0.5e4, 1.0e4, 1.5e4, 2.0e4, 2.5e4])
series = wave.apply_ctf(defocus=focus, Cs=2.7e7).intensity().compute()
