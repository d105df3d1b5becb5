"""A micrograph of a structure, in cryoJAX."""

import cryojax.simulator as cxs
import jax

model = cxs.make_image_model(
    cxs.load_tabulated_volume("chain.pdb", include_b_factors=True),
    cxs.BasicImageConfig((128, 128), pixel_size=1.0, voltage_in_kilovolts=300),
    cxs.EulerAnglePose(),
    cxs.ContrastTransferTheory(
        cxs.AstigmaticCTF(defocus_in_angstroms=1.5e4, spherical_aberration_in_mm=2.7),
        amplitude_contrast_ratio=0.0,
    ),
    quantity_mode="intensity",
)
noise_free = model.simulate()
# Not quantity_mode="counts": version 0.6.0 returns the inverse transform of the counts.
micrograph = jax.random.poisson(jax.random.key(0), 30 * noise_free)
