"""All components of an input file together, and what they need of each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from difftem.io.errors import InputError, input_error
from difftem.tem_simulator.files.microscope import DetectorInput, ElectronBeam, Geometry, Optics
from difftem.tem_simulator.files.parameter import parameters
from difftem.tem_simulator.files.rules import files_read
from difftem.tem_simulator.files.specimen import (
    Component,
    ParticleInput,
    ParticleSet,
    Sample,
    Simulation,
    Volume,
)

# In the order in which the log writes them.
COMPONENTS: Mapping[str, type[Component]] = MappingProxyType(
    {
        "simulation": Simulation,
        "sample": Sample,
        "particle": ParticleInput,
        "particleset": ParticleSet,
        "geometry": Geometry,
        "electronbeam": ElectronBeam,
        "optics": Optics,
        "detector": DetectorInput,
        "volume": Volume,
    }
)


@dataclass(frozen=True, kw_only=True)
class TemSimulatorInput:
    """Content of an input file, checked.

    Attributes
    ----------
    path : Path
        The file.
    simulation : Simulation
        What is computed.
    sample, geometry, electronbeam, optics : component or None
        None where the file does not have it and nothing needs it.
    particles : dict of str to ParticleInput
        By name.
    particlesets, detectors, volumes : list
        In the order of the file.
    notes : list of str
        What a user should know: unknown names, aliases, values without effect.
    unused : list of str
        Parameters that are given and mean nothing beside other settings, and why.
    """

    path: Path
    simulation: Simulation
    sample: Sample | None = None
    particles: dict[str, ParticleInput] = field(default_factory=dict)
    particlesets: list[ParticleSet] = field(default_factory=list)
    geometry: Geometry | None = None
    electronbeam: ElectronBeam | None = None
    optics: Optics | None = None
    detectors: list[DetectorInput] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def micrograph_parts(self) -> tuple[Sample, Geometry, ElectronBeam, Optics]:
        """Sample, geometry, beam and optics, all of which micrographs need.

        Raises
        ------
        InputError
            Naming the first that is missing.
        """
        sample, geometry, beam, optics = self.sample, self.geometry, self.electronbeam, self.optics
        if sample is None:
            raise self._missing("sample", "micrographs")
        if geometry is None:
            raise self._missing("geometry", "micrographs")
        if beam is None:
            raise self._missing("electronbeam", "micrographs")
        if optics is None:
            raise self._missing("optics", "micrographs")
        return sample, geometry, beam, optics

    def components(self) -> list[tuple[str, Component]]:
        """All components with their types, in the order of the log."""
        kinds = {cls: kind for kind, cls in COMPONENTS.items()}
        parts = (
            *(self.simulation, self.sample, *self.particles.values(), *self.particlesets),
            *(self.geometry, self.electronbeam, self.optics, *self.detectors, *self.volumes),
        )
        return [(kinds[type(part)], part) for part in parts if part is not None]

    def check(self) -> None:
        """Check that components fit together; what is odd but usable is added to the notes.

        Raises
        ------
        InputError
            If what the simulation asks for needs a component that is missing, a particle set has
            an unknown particle, or a file can not be written or would be written twice.
        """
        run = self.simulation
        for particleset in self.particlesets:
            if particleset.particle_type not in self.particles:
                raise InputError(
                    f"{particleset.origin}: particle_type must be the name of a particle "
                    f"({', '.join(self.particles) or 'there is none'}), "
                    f"got {particleset.particle_type!r}"
                )
        if run.generate_micrographs:
            self.micrograph_parts()
            if not self.detectors:
                raise self._missing("detector", "micrographs")
            if not self.particlesets:
                self.notes.append("there is no particleset: the sample is empty")
        if run.generate_volumes and not (self.sample and self.volumes):
            raise self._missing("volume" if self.sample else "sample", "volumes")
        if run.generate_particle_maps and not self.particles:
            raise self._missing("particle", "particle maps")
        if not (run.generate_micrographs or run.generate_volumes or run.generate_particle_maps):
            self.notes.append("simulation asks for no micrographs, volumes or particle maps")
        absorbing = any(p.source == "pdb" and p.use_imag_pot for p in self.particles.values())
        if absorbing and self.electronbeam is None:
            raise self._missing("electronbeam", "the absorption of a particle")
        self._check_outputs()

    def _check_outputs(self) -> None:
        """Refuse outputs that overwrite an input or each other, or have no folder."""
        taken = {self.path.resolve(): "the input file"}
        for _, component in self.components():
            for name in files_read(component):
                if (path := getattr(component, name)) is not None:
                    taken[path.resolve()] = f"{name} of {component.origin}"
        for _, component in self.components():
            for name, row in parameters(component).items():
                path = getattr(component, name)
                if row.kind != "output" or path is None:
                    continue
                if not path.parent.is_dir():
                    raise InputError(
                        f"{component.origin}: {name}: there is no folder {path.parent}"
                    )
                if name == "log_file" and path.resolve() == self.path.resolve():
                    continue  # a log that is used as input again
                if (other := taken.get(path.resolve())) is not None:
                    raise InputError(f"{component.origin}: {name}: {path} is also {other}")
                taken[path.resolve()] = f"{name} of {component.origin}"

    def _missing(self, kind: str, purpose: str) -> InputError:
        """Error about a component that is not there."""
        return input_error(self.path, f"there is no component === {kind} ===, needed for {purpose}")
