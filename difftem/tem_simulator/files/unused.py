"""Parameters that are given and mean nothing beside the other settings of their component."""

from collections.abc import Collection, Iterator

from difftem.tem_simulator.files.microscope import DetectorInput, ElectronBeam, Geometry, Optics
from difftem.tem_simulator.files.specimen import Component, ParticleInput, ParticleSet

_STRUCTURE = ("pdb_file_in", "pdb_transf_file_in", "add_hydrogen")
_MAP = ("map_file_re_in", "map_file_im_in")
_RANDOM = ("contrast_re", "contrast_im", "smoothness", "make_positive")
_RAW = ("nx", "ny", "nz", "map_file_byte_order", "map_axis_order")
_GRID = ("nx", "ny", "nz", "particle_dist", "offset_x", "offset_y", "offset_z")
_CHANCE = ("tilt_err", "align_err_rot", "align_err_tr")


def without_effect(component: Component, given: Collection[str]) -> list[str]:
    """Name what is given and not used, one line for each setting that is the reason.

    Parameters
    ----------
    component : Component
        As read.
    given : collection of str
        Names of the parameters that the file has.

    Returns
    -------
    list of str
        Such as ``"dqe has no effect with use_quantization = no"``.
    """
    notes = []
    for setting, names in _unused(component):
        if found := [name for name in names if name in given]:
            verb = "has" if len(found) == 1 else "have"
            notes.append(f"{', '.join(found)} {verb} no effect with {setting}")
    return notes


def _unused(component: Component) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List settings, and the parameters that they leave without meaning."""
    match component:
        case ParticleInput(source="pdb"):
            yield "source = pdb", (*_MAP, *_RANDOM)
        case ParticleInput(source="map", map_file_format=file_format):
            yield "source = map", (*_STRUCTURE, *_RANDOM)
            if file_format != "raw":
                yield f"map_file_format = {file_format}, whose header says it", _RAW
        case ParticleInput():
            yield f"source = {component.source}", (*_STRUCTURE, *_MAP)
        case ParticleSet(particle_coords="file"):
            yield "particle_coords = file", ("particle_conc", "occupancy", "where", *_GRID)
        case ParticleSet(particle_coords="grid"):
            chance = ("num_particles", "particle_conc", "occupancy", "where")
            yield "particle_coords = grid", ("coord_file_in", *chance)
        case ParticleSet():
            yield f"particle_coords = {component.particle_coords}", ("coord_file_in", *_GRID)
        case Geometry(gen_tilt_data=True):
            yield "gen_tilt_data = yes", ("geom_file_in",)
        case Geometry():
            yield "gen_tilt_data = no", ("theta_start", "theta_incr")
        case ElectronBeam(gen_dose=True):
            yield "gen_dose = yes", ("dose_file_in",)
        case ElectronBeam():
            yield "gen_dose = no", ("total_dose", "dose_per_im", "dose_sd")
        case Optics(gen_defocus=True):
            yield "gen_defocus = yes", ("defocus_file_in",)
        case Optics():
            spread = ("defocus_syst_error", "defocus_nonsyst_error")
            yield "gen_defocus = no", ("defocus_nominal", *spread)
        case DetectorInput(use_quantization=False):
            yield "use_quantization = no", ("dqe",)
    if isinstance(component, Geometry) and component.geom_errors != "file":
        yield f"geom_errors = {component.geom_errors}", ("error_file_in",)
    if isinstance(component, Geometry) and component.geom_errors != "random":
        yield f"geom_errors = {component.geom_errors}", _CHANCE
    if isinstance(component, ParticleInput) and component.use_imag_pot:
        yield "use_imag_pot = yes", ("famp",)
    if isinstance(component, ParticleInput) and not component.use_imag_pot:
        imaginary = {"random": ("contrast_im",), "map": ("map_file_im_in",)}
        yield "use_imag_pot = no", imaginary.get(component.source, ())
