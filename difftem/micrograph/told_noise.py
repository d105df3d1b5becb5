"""The colour of a camera's noise as a preset or a file tells it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.curve_table import is_curve_file
from difftem.io.star import read_mtf_star
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.presets import detector_preset, detector_presets

_POINTS = 101


@dataclass(frozen=True)
class NoiseTransfer:
    """Noise transfer function (NTF) of a camera.

    Parameters
    ----------
    frequency : Tensor
        Cycles/pixel, increasing from near 0, shape ``(n,)``.
    value : Tensor
        NTF, near 1 at the first frequency, shape ``(n,)``.
    source : str
        Where it is from.
    """

    frequency: Tensor
    value: Tensor
    source: str


def noise_transfer(
    name: str | Path,
    nyquist: float = 0.5,
) -> NoiseTransfer:
    """Read the NTF of a camera.

    Parameters
    ----------
    name : str or Path
        Detector preset, e.g. ``k3_300kv``, or a file of a curve: RELION's STAR, or a table
        (``.csv``, ``.txt``).
    nyquist : float
        Frequency that is Nyquist in the file: 0.5 where it counts cycles/pixel, as RELION does, 1
        where it counts fractions of Nyquist.

    Returns
    -------
    NoiseTransfer
        Up to 0.5 cycles/pixel, or to the end of the file.

    Raises
    ------
    InputError
        If the file is missing or no curve.
    ValueError
        For an unknown name.
    """
    text = str(name)
    if is_curve_file(text):
        frequency, value = read_mtf_star(text, nyquist, "NTF")
        source = f"curve {Path(text).name}"
        return NoiseTransfer(torch.from_numpy(frequency), torch.from_numpy(value), source)
    if text not in detector_presets():
        raise ValueError(
            f"detector must be a .star or .csv file or one of {', '.join(detector_presets())}, "
            f"got {text!r}; see difftem docs detector"
        )
    preset = detector_preset(text)
    frequencies = torch.linspace(0.0, 0.5, _POINTS, dtype=torch.float64)
    curve = torch.ones_like(frequencies)
    if preset["ntf"] != "ideal":
        with torch.no_grad():
            curve = mtf_from_preset(preset)(frequencies)
    return NoiseTransfer(frequencies, curve, f"detector {text}")
