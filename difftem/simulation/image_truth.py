"""What an image shows of the microscope that made it, as files of truth say it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_vector
from difftem.functional.tilted_beam import aberrations_about_tilt
from difftem.scene.files.relion_write import Defocus, RelionOptics
from difftem.scene.files.zernike import zernike_lists
from difftem.scene.poses import Scene
from difftem.simulation.config import MicroscopeConfig
from difftem.simulation.microscope import amplitude_contrast, build_beam
from difftem.units import mm_to_angstrom, mrad_to_rad, um_to_angstrom

_IN_DEFOCUS = ("C10", "C12a", "C12b")


@dataclass(frozen=True, eq=False)
class ImageTruth:
    """Optics of an image, and how a tilted beam moves it.

    Attributes
    ----------
    optics : RelionOptics
        Of the microscope; aberrations are counted from the direction of the beam.
    defocus : Defocus
        For what lies at z = 0.
    tilt : Tensor
        Of the beam in rad, ``(2,)``.
    shift : Tensor
        Of the image of what lies at z = 0, in Å, ``(2,)``.
    """

    optics: RelionOptics
    defocus: Defocus
    tilt: Tensor
    shift: Tensor

    def seen(
        self,
        positions: Tensor,  # (n, 3) Å
    ) -> Tensor:  # (n, 3) Å
        """Where the image shows what is at some places in the microscope's frame.

        What lies at z has z more underfocus, and is shown -z times the tilt further on.
        """
        moved = self.shift - positions[:, 2:] * self.tilt
        return torch.cat([positions[:, :2] + moved, positions[:, 2:]], 1)

    def moved_by_beam(self, scene: Scene) -> Tensor | None:  # (n, 2) Å
        """Where the image shows the copies; None where that is where they are."""
        moves = bool((self.tilt != 0).any() or (self.shift != 0).any())
        return self.seen(scene.positions())[:, :2] if moves else None

    def rotations(
        self,
        stage: Tensor,  # (n, 3, 3)
    ) -> Tensor:  # (n, 3, 3)
        """Rotations sample to image along the beam: those of the stage, seen from its tilt.

        To first order in the tilt, which is what x - z θ is.
        """
        tx, ty = self.tilt.unbind(-1)
        return rotation_from_vector(torch.stack([ty, -tx, torch.zeros_like(tx)])) @ stage


def image_truth(config: MicroscopeConfig, in_ice: bool, pixel_size: float) -> ImageTruth:
    """Optics of an image as RELION has them.

    Parameters
    ----------
    config : MicroscopeConfig
        That the image was made with.
    in_ice : bool
        Whether there is ice around the particles.
    pixel_size : float
        Of the image in Å.

    Returns
    -------
    ImageTruth
        Defocus and astigmatism as U, V and their angle; spherical aberration and beam tilt as such;
        all other aberrations as Zernike coefficients.
    """
    beam = build_beam(config)
    given = {
        name: torch.tensor(v, dtype=torch.float64) for name, v in _coefficients(config).items()
    }
    tilt = mrad_to_rad(torch.tensor(config.beam_tilt_mrad, dtype=torch.float64))
    found, shift = aberrations_about_tilt(given, tilt)
    c10, c12a, c12b = (float(found.get(name, 0.0)) for name in _IN_DEFOCUS)
    half = math.hypot(c12a, c12b)
    # The defocus is largest at right angles to the axis of a positive C12.
    angle = (math.degrees(math.atan2(c12b, c12a)) / 2 + 90) if half > 1e-6 else 0.0
    angle = angle - 180 if angle > 90 else angle
    cs = mm_to_angstrom(config.cs_mm)
    coma = 3 * cs * tilt
    # What RELION makes of its own columns is taken out of what the lists say.
    said = {"C30": cs, "C21a": float(coma[0]), "C21b": float(coma[1])}
    rest = {
        name: _unless_rounding(float(value), said.get(name, 0.0))
        for name, value in found.items()
        if name not in _IN_DEFOCUS
    }
    odd, even = zernike_lists(rest, float(beam.wavelength))
    optics = RelionOptics(
        config.voltage_kv,
        config.cs_mm,
        amplitude_contrast(config, in_ice),
        pixel_size,
        beam_tilt_mrad=config.beam_tilt_mrad,
        odd_zernike=odd,
        even_zernike=even,
    )
    defocus = Defocus(-c10 + half, -c10 - half, angle, config.phase_shift_deg)
    return ImageTruth(optics, defocus, tilt, shift)


def _coefficients(config: MicroscopeConfig) -> dict[str, float]:  # Å
    """Krivanek's coefficients as `Lens.coefficients` has them, without its rounding."""
    twice = math.radians(2 * config.astigmatism_angle_deg)
    half = -um_to_angstrom(config.astigmatism_um)
    result = {
        "C10": -um_to_angstrom(config.defocus_um),
        "C12a": half * math.cos(twice),
        "C12b": half * math.sin(twice),
        "C30": mm_to_angstrom(config.cs_mm),
    }
    for name, value in config.aberrations.items():
        result[name] = result.get(name, 0.0) + value
    return result


def _unless_rounding(value: float, said: float) -> float:
    """Take from a value what is said elsewhere; 0 where rounding alone is left."""
    return 0.0 if math.isclose(value, said, rel_tol=1e-9) else value - said
