"""An MTF by name: a preset, a family with parameters, or a RELION STAR file or table."""

from collections.abc import Callable, Mapping, Sequence

import torch

from difftem.io.curve_table import is_curve_file
from difftem.io.star import read_mtf_star
from difftem.modules.mtf import (
    MTF,
    GaussLorentzSincMTF,
    IdealMTF,
    LogSplineMTF,
    LorentzianMTF,
    RullgardMTF,
    TabulatedMTF,
)
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.presets import detector_preset, detector_presets

_FAMILIES: dict[str, Callable[..., MTF]] = {
    "ideal": IdealMTF,
    "lorentzian": LorentzianMTF,
    "rullgard": RullgardMTF,
    "gauss_lorentz_sinc": GaussLorentzSincMTF,
    "log_spline": LogSplineMTF,
}


def mtf_by_name(
    name: str,
    parameters: Mapping[str, float | Sequence[float]] | None = None,
) -> MTF:
    """Make an MTF from what a configuration says.

    Parameters
    ----------
    name : str
        A detector preset, e.g. ``k3_300kv``; the path of a RELION STAR file or
        of a table of two columns; or a family:
        ``ideal``, ``lorentzian``, ``rullgard``, ``gauss_lorentz_sinc``, ``log_spline``.
    parameters : mapping, optional
        Of a family, by the names of its module's arguments. Default: the module's own.

    Returns
    -------
    MTF
        Module without learnable parameters.

    Raises
    ------
    InputError
        If a STAR file is missing or no MTF.
    ValueError
        For an unknown name or parameter.
    """
    if name in _FAMILIES:
        given = {
            k: v if isinstance(v, int | float) else list(v) for k, v in (parameters or {}).items()
        }
        if name == "log_spline" and "log_values" not in given:
            raise ValueError("MTF family 'log_spline' needs log_values: ln H at its knots")
        try:
            return _FAMILIES[name](**given)
        except TypeError as error:
            raise ValueError(f"MTF family {name!r}: {error}") from None
    if parameters:
        raise ValueError(f"mtf_parameters belong to a family, got them with {name!r}")
    if is_curve_file(name):
        frequency, value = read_mtf_star(name)
        return TabulatedMTF(torch.as_tensor(frequency), torch.as_tensor(value))
    if name not in detector_presets():
        raise ValueError(
            f"mtf must be a .star or .csv file, one of {', '.join(_FAMILIES)}, or one of "
            f"{', '.join(detector_presets())}, got {name!r}"
        )
    return mtf_from_preset(detector_preset(name))
