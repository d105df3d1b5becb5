"""What a component needs depending on its own values."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from difftem.io.errors import InputError
from difftem.tem_simulator.files.microscope import DetectorInput, ElectronBeam, Geometry, Optics
from difftem.tem_simulator.files.parameter import parameters
from difftem.tem_simulator.files.specimen import Component, ParticleInput, ParticleSet, Volume


class Need(NamedTuple):
    """One parameter, or the first given of several, and the setting that asks for it."""

    because: str
    names: tuple[str, ...]


def check(component: Component) -> list[str]:
    """Check that a component has what its settings ask for, files included.

    Parameters
    ----------
    component : Component
        As read.

    Returns
    -------
    list of str
        Notes, one for each value that another one overrules.

    Raises
    ------
    InputError
        If a parameter or a file is missing, or the values contradict each other.
    """
    values = {row.name: getattr(component, name) for name, row in parameters(component).items()}
    notes = []
    for because, names in _needs(component):
        given = [name for name in names if values[name] is not None]
        if not given:
            raise InputError(
                f"{component.origin}: {' or '.join(names)} is missing, needed with {because}"
            )
        if len(given) > 1:
            notes.append(f"{given[0]} wins over {' and '.join(given[1:])}")
    for name in files_read(component):
        path = values[name]
        if path is not None and not path.is_file():
            raise InputError(f"{component.origin}: {name}: no such file {path}")
    if (
        isinstance(component, DetectorInput)
        and not component.mtf_a + component.mtf_b + component.mtf_c
    ):
        raise InputError(f"{component.origin}: mtf_a + mtf_b + mtf_c must be above 0, got 0")
    return notes


def needed(component: Component, *fields: str) -> Any:
    """Values of fields, one or a tuple; an `InputError` names the first that is None."""
    for name in fields:
        if getattr(component, name) is None:
            missing = parameters(component)[name].name
            raise InputError(
                f"{component.origin or type(component).__name__}: {missing} is missing"
            )
    values = tuple(getattr(component, name) for name in fields)
    return values if len(values) > 1 else values[0]


def _needs(component: Component) -> Iterator[Need]:
    """Parameters without which the settings of a component mean nothing."""
    match component:
        case ParticleInput(source="random", use_imag_pot=imaginary):
            contrasts = ("contrast_re", "contrast_im") if imaginary else ("contrast_re", "famp")
            for name in ("nx", "ny", "nz", "voxel_size", *contrasts, "smoothness"):
                yield Need("source = random", (name,))
        case ParticleInput(source="map", map_file_format=file_format, use_imag_pot=imaginary):
            yield Need("source = map", ("map_file_re_in",))
            if imaginary:
                yield Need("source = map and use_imag_pot = yes", ("map_file_im_in",))
            if file_format == "raw":
                for name in ("nx", "ny", "nz", "voxel_size"):
                    yield Need("map_file_format = raw", (name,))
        case ParticleInput():
            yield Need("source = pdb", ("pdb_file_in",))
            yield Need("source = pdb", ("voxel_size",))
        case ParticleSet(particle_coords="file"):
            yield Need("particle_coords = file", ("coord_file_in",))
        case ParticleSet(particle_coords="grid"):
            for name in ("nx", "ny", "nz", "particle_dist"):
                yield Need("particle_coords = grid", (name,))
        case ParticleSet():
            numbers = ("num_particles", "particle_conc", "occupancy")
            yield Need("particle_coords = random", numbers)
        case Geometry(gen_tilt_data=True):
            for name in ("ntilts", "theta_start", "theta_incr"):
                yield Need("gen_tilt_data = yes", (name,))
        case Geometry():
            yield Need("gen_tilt_data = no", ("geom_file_in",))
        case ElectronBeam(gen_dose=True):
            yield Need("gen_dose = yes", ("total_dose", "dose_per_im"))
        case ElectronBeam():
            yield Need("gen_dose = no", ("dose_file_in",))
        case Optics(gen_defocus=True):
            yield Need("gen_defocus = yes", ("defocus_nominal",))
        case Optics():
            yield Need("gen_defocus = no", ("defocus_file_in",))
        case DetectorInput(use_quantization=True):
            yield Need("use_quantization = yes", ("dqe",))
        case Volume():
            yield Need("a volume", ("map_file_re_out",))
    if isinstance(component, Geometry) and component.geom_errors == "file":
        yield Need("geom_errors = file", ("error_file_in",))
    if isinstance(component, ParticleInput) and not component.use_imag_pot:
        yield Need("use_imag_pot = no", ("famp",))


def files_read(component: Component) -> tuple[str, ...]:
    """Fields of the input files that the settings of a component make use of."""
    match component:
        case ParticleInput(source="pdb"):
            return ("pdb_file_in", "pdb_transf_file_in")
        case ParticleInput(source="map", use_imag_pot=True):
            return ("map_file_re_in", "map_file_im_in")
        case ParticleInput(source="map"):
            return ("map_file_re_in",)
        case ParticleSet(particle_coords="file"):
            return ("coord_file_in",)
        case Geometry(gen_tilt_data=angles, geom_errors=errors):
            geometry = () if angles else ("geom_file_in",)
            return (*geometry, *(("error_file_in",) if errors == "file" else ()))
        case ElectronBeam(gen_dose=False):
            return ("dose_file_in",)
        case Optics(gen_defocus=False):
            return ("defocus_file_in",)
    return ()
