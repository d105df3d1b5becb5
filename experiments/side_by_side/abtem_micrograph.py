"""A micrograph of a structure, in abTEM."""

import abtem
import ase.io

atoms = ase.io.read("chain.pdb")
atoms.set_cell([128, 128, 80])
atoms.center()
peng = abtem.parametrizations.PengParametrization(sigmas=0.503)  # B = 20 Å², of all elements
potential = abtem.Potential(atoms, sampling=1.0, slice_thickness=20, parametrization=peng)
wave = abtem.PlaneWave(energy=300e3).multislice(potential)
noise_free = wave.apply_ctf(defocus=1.5e4, Cs=2.7e7).intensity().compute()
micrograph = noise_free.poisson_noise(dose_per_area=30)
