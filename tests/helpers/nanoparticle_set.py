"""A set of images of nanoparticles that takes a second to make."""

from difftem.scene.nanoparticle.recipe import NanoparticleRecipe
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging

MODELS = NanoparticleRecipe(
    diameter=(9.0, 12.0), thickness=(9.0, 12.0), headroom=3.0, interface_y=(1.0, 3.0), field=20.0
)
IMAGING = NanoparticleImaging(
    size=64,
    pixel_size=0.22,
    margin=2.6,
    slice_thickness=2.0,
    focus_nodes=3,
    source_nodes=1,
    n_defocus=2,
    defocus_um=(-0.01, 0.01),
)
SMALL_SET = NanoparticleSetConfig(
    n_models=5, validation_every=5, test_every=5, models=MODELS, imaging=IMAGING
)
