"""A micrograph of a structure, in difftem."""

import difftem

result = difftem.simulate(
    "chain.pdb",
    size=(128, 128),
    pixel_size=1.0,
    voltage_kv=300,
    defocus_um=1.5,
    cs_mm=2.7,
    dose_e_per_a2=30,
    hydrogens="none",  # the others take those of the file, which has none
    ice_present=False,
    preset="ideal",  # the others have no camera
    padding=0,  # the others wrap around
    band="fast",  # abTEM ends there too
)
noise_free, micrograph = result.noise_free[0], result.micrographs[0]
