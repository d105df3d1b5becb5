"""The MTF module of a detector preset."""

from typing import Any

from difftem.modules.mtf import MTF, LogSplineMTF, RullgardMTF


def mtf_from_preset(preset: dict[str, Any]) -> MTF:
    """MTF module of a detector preset.

    Parameters
    ----------
    preset : dict
        From `difftem.presets.detector_preset`.

    Returns
    -------
    MTF
        `RullgardMTF` or `LogSplineMTF`.

    Raises
    ------
    ValueError
        For a family that is none of these.
    """
    family, parameters = preset["mtf"]["family"], preset["mtf"]["parameters"]
    if family == "rullgard":
        own = {name: parameters[name] for name in "abcp"}
        own |= {"alpha": parameters["alpha"], "beta": parameters["beta"], "q": parameters["r"]}
        return RullgardMTF(**own)
    if family == "log_spline":
        return LogSplineMTF(parameters["log_mtf"][1:])
    raise ValueError(f"unknown MTF family {family!r} in a detector preset")
