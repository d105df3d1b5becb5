"""A focus series of one exit wave, in cryoJAX."""

import cryojax.simulator as cxs
import jax
import jax.numpy as jnp

config = cxs.BasicImageConfig((128, 128), pixel_size=1.0, voltage_in_kilovolts=300)
lens = cxs.WaveTransferTheory(cxs.AstigmaticCTF(0.0, spherical_aberration_in_mm=2.7))
theory = cxs.RytovScatteringTheory(cxs.GaussianMixtureProjection(), lens, 0.0)
volume = cxs.load_tabulated_volume("chain.pdb", include_b_factors=True)
wave = jnp.fft.fft2(theory.compute_exit_wave(volume, config))
focus = jnp.array([0.5e4, 1.0e4, 1.5e4, 2.0e4, 2.5e4])
propagate = jax.vmap(lambda f: lens.propagate_exit_wave(wave, config, defocus_offset=f))
series = jnp.abs(jnp.fft.ifft2(propagate(focus))) ** 2
