"""Our stages, each as a user calls it: every call builds its modules, propagators and filters."""

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    Lens,
    LorentzianMTF,
    Multislice,
    Potential,
    Simulator,
)
from experiments.simulator_speed.cases import Case
from experiments.simulator_speed.inputs import Inputs

LEARNED = {
    "potential": ("positions", "b_factors"),
    "lens": ("defocus_um",),
    "mtf": ("a", "b", "alpha", "beta"),  # c sets the scale
}


class DifftemStages:
    """Stages of difftem on one case.

    Parameters
    ----------
    case : Case
        What to simulate.
    inputs : Inputs
        What to start from.
    """

    name = "difftem"
    stages = ("potential", "multislice", "lens", "chain", "micrograph", "gradient")

    def __init__(self, case: Case, inputs: Inputs) -> None:
        self.case = case
        self.inputs = inputs
        self.atoms = Atoms(
            torch.as_tensor(inputs.positions),
            torch.as_tensor(inputs.atomic_numbers),
            torch.as_tensor(inputs.b_factors),
            torch.as_tensor(inputs.occupancies),
        )
        self.slices = None if inputs.slices is None else torch.as_tensor(inputs.slices)
        self.wave = None if inputs.wave is None else torch.as_tensor(inputs.wave)

    @torch.no_grad()
    def potential(self) -> Tensor:  # (n_slices, ny, nx) V Å
        """From atoms to stacked slices."""
        return self._potential(self.atoms)()

    @torch.no_grad()
    def multislice(self) -> Tensor:  # (ny, nx) complex
        """From stacked slices to the exit wave."""
        return self._multislice()(self.slices, self._beam())

    @torch.no_grad()
    def lens(self) -> Tensor:  # (ny, nx)
        """From the exit wave to the intensity."""
        return self._lens().intensity(self.wave, self._beam())

    @torch.no_grad()
    def chain(self) -> Tensor:  # (ny, nx)
        """From atoms to the intensity; the potential is streamed."""
        simulator = self._simulator(self._potential(self.atoms), self._lens(), Detector())
        return simulator.intensity()

    @torch.no_grad()
    def micrograph(self) -> Tensor:  # (ny, nx)
        """From atoms to the expected micrograph, with the modules that `gradient` uses."""
        return _expected_micrograph(self.learnable())

    def gradient(self) -> dict[str, Tensor]:
        """Gradient of the mean squared expected micrograph; includes the forward pass.

        Returns
        -------
        dict
            Gradient by parameter: positions (x, y and z), B, defocus, MTF.
        """
        simulator = self.learnable()
        _expected_micrograph(simulator).square().mean().backward()
        return {name: p.grad for name, p in simulator.named_parameters() if p.grad is not None}

    def learnable(self) -> Simulator:
        """Build the simulator whose `LEARNED` quantities are parameters."""
        atoms = self.atoms
        if self.case.learnable_b is not None:
            b_factors = torch.full_like(atoms.b_factors, self.case.learnable_b)
            atoms = Atoms(atoms.positions, atoms.atomic_numbers, b_factors, atoms.occupancies)
        potential = self._potential(atoms, interpolate_z=True, learnable=LEARNED["potential"])
        detector = Detector(LorentzianMTF(learnable=LEARNED["mtf"]))
        return self._simulator(potential, self._lens(LEARNED["lens"]), detector)

    def focal_spread(self) -> float:
        """Return the standard deviation of the defocus in Å."""
        return float(self._lens().focal_spread(self._beam().energy))

    def _beam(self) -> Beam:
        return Beam(self.case.voltage_kv)

    def _potential(
        self, atoms: Atoms, interpolate_z: bool = False, learnable: tuple[str, ...] = ()
    ) -> Potential:
        case = self.case
        return Potential(
            atoms,
            case.shape,
            case.pixel_size,
            case.n_slices,
            case.slice_thickness,
            table=case.table,
            interpolate_z=interpolate_z,
            learnable=learnable,
        )

    def _multislice(self) -> Multislice:
        return Multislice(self.case.pixel_size, self.case.slice_thickness)

    def _lens(self, learnable: tuple[str, ...] = ()) -> Lens:
        case = self.case
        return Lens(
            case.pixel_size,
            case.defocus_um,
            case.cs_mm,
            cc_mm=case.cc_mm,
            energy_spread_ev=case.energy_spread_ev,
            learnable=learnable,
        )

    def _simulator(self, potential: Potential, lens: Lens, detector: Detector) -> Simulator:
        # Defocus counts from the exit surface, as in abTEM.
        return Simulator(
            potential,
            self._multislice(),
            lens,
            Dose(self.case.dose, self.case.pixel_size),
            detector,
            self._beam(),
            defocus_reference=potential.thickness / 2,
        )


def _expected_micrograph(simulator: Simulator) -> Tensor:
    return simulator.noise_free()
