"""Detectors as data: one YAML file each, with the source of every number.

A detector preset is a dictionary::

    description: str
    mtf:
      family: rullgard | log_spline
      parameters: ...     # below; H(0) = 1
      max_error: float    # of our fit, against the published curve
      rms_error: float
      source: str
    ntf: ideal | mtf      # noise: white, or of the MTF
    ntf_source: str
    dqe: float            # DQE(0)
    dqe_assumed: bool     # True where no measurement stands behind it
    dqe_source: str
    gain: float           # grey values per electron
    read_noise: float     # grey values, standard deviation

With q in cycles/pixel, the families are

- ``rullgard`` (``a, b, c, alpha, p, beta, r``): H(q) = [a F(α, p) + b F(β, r) + c] / (a + b + c),
  F(α, p) = 2^p y^(-p) / (2 + (2^p - 2) y^(-p)), y = 1 + α q²;
- ``log_spline`` (``log_mtf``): ln H at equispaced knots from q = 0 to 0.5, joined by the natural
  cubic spline, and by its end tangent beyond 0.5.

``experiments/detector_presets`` holds the command that fits them.
"""

from importlib.resources import files
from typing import Any

import yaml

_DETECTORS = files(__name__) / "detectors"


def detector_presets() -> list[str]:
    """Return the names of all detector presets, sorted.

    Examples
    --------
    >>> from difftem.presets import detector_presets
    >>> "k2_300kv" in detector_presets()
    True
    """
    names = (entry.name for entry in _DETECTORS.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def detector_preset(name: str) -> dict[str, Any]:
    """Read one detector preset.

    Parameters
    ----------
    name
        One of `detector_presets`.

    Returns
    -------
    dict
        The content of the file, as the docstring of this package describes it.

    Raises
    ------
    ValueError
        If there is no such preset.

    Examples
    --------
    >>> from difftem.presets import detector_preset
    >>> detector_preset("k2_300kv")["ntf"]  # white noise: a camera that counts
    'ideal'
    """
    if name not in detector_presets():
        raise ValueError(
            f"detector preset must be one of {', '.join(detector_presets())}, got {name!r}; see "
            "difftem docs detector"
        )
    preset: dict[str, Any] = yaml.safe_load((_DETECTORS / f"{name}.yaml").read_text("utf-8"))
    return preset
