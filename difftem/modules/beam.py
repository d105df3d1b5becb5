"""The electron beam."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.beam import interaction_constant, wavelength
from difftem.modules.quantity import Positive, check_learnable, is_active, register_quantity
from difftem.units import kev_to_ev, mrad_to_rad

MAX_VOLTAGE_KV = 5000.0


class Beam(nn.Module):
    """High tension and direction of the beam.

    Parameters
    ----------
    voltage_kv : float or Tensor
        Acceleration voltage in kV, e.g. 300; a scalar.
    tilt_mrad : tuple of float or Tensor
        Beam tilt (x, y) in mrad, shape ``(..., 2)``: the beam travels towards +x for x > 0.
    learnable : collection of str
        Any of ``voltage_kv``, ``tilt_mrad``.

    Raises
    ------
    ValueError
        If the voltage is not within (0, 5000] kV: probably it was given in V.

    Examples
    --------
    >>> from difftem.modules import Beam
    >>> beam = Beam(voltage_kv=200.0)
    >>> round(beam.wavelength.item(), 7)  # Å
    0.0250793
    """

    voltage_kv: Tensor
    tilt_mrad: Tensor

    def __init__(
        self,
        voltage_kv: float | Tensor = 300.0,
        tilt_mrad: tuple[float, float] | Tensor = (0.0, 0.0),
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("voltage_kv", "tilt_mrad"))
        voltage = torch.as_tensor(voltage_kv)
        if voltage.ndim > 0:
            raise ValueError(f"voltage_kv must be a scalar, got shape {tuple(voltage.shape)}")
        if not bool(((voltage > 0) & (voltage <= MAX_VOLTAGE_KV)).all()):
            raise ValueError(
                f"voltage_kv must be in (0, {MAX_VOLTAGE_KV:g}] kV, got {voltage.tolist()}; "
                "300 means 300 kV"
            )
        register_quantity(self, "voltage_kv", voltage_kv, learnable, Positive())
        register_quantity(self, "tilt_mrad", torch.as_tensor(tilt_mrad), learnable)

    @property
    def energy(self) -> Tensor:  # () eV
        """Kinetic energy in eV, float64."""
        return kev_to_ev(self.voltage_kv.double())

    @property
    def wavelength(self) -> Tensor:  # () Å
        """Relativistic wavelength in Å, float64."""
        return wavelength(self.energy)

    @property
    def sigma(self) -> Tensor:  # () rad / (V Å)
        """Interaction constant in rad/(V Å), float64."""
        return interaction_constant(self.energy)

    @property
    def tilt(self) -> Tensor | None:  # (..., 2) rad
        """Beam tilt in rad, or None for an untilted beam."""
        return mrad_to_rad(self.tilt_mrad) if is_active(self, "tilt_mrad") else None
