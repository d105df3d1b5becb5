"""The gradient of a loss by the positions of atoms, in cryoJAX."""

import cryojax.simulator as cxs
import equinox as eqx
import jax
import jax.numpy as jnp

observed = jnp.load("observed.npy")
volume = cxs.load_tabulated_volume("chain.pdb", include_b_factors=True)
config = cxs.BasicImageConfig((128, 128), pixel_size=1.0, voltage_in_kilovolts=300)
ctf = cxs.AstigmaticCTF(defocus_in_angstroms=1.5e4, spherical_aberration_in_mm=2.7)
lens = cxs.ContrastTransferTheory(ctf, amplitude_contrast_ratio=0.0)


def loss(positions):
    """Mean square difference of an image from the observed one."""
    moved = eqx.tree_at(lambda v: v.positions, volume, positions)
    model = cxs.make_image_model(
        moved, config, cxs.EulerAnglePose(), lens, quantity_mode="intensity"
    )
    return jnp.mean((model.simulate() - observed) ** 2)


gradient = jax.grad(loss)(volume.positions)
