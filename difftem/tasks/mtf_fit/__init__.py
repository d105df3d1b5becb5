"""The MTF of a detector from flat fields: fit, errors, tests, choice of family."""

from difftem.tasks.mtf_fit.families import (
    FAMILIES,
    fit_spectrum,
    measure,
    mtf_family,
    select_family,
    usual_families,
)
from difftem.tasks.mtf_fit.inference import Measurement
from difftem.tasks.mtf_fit.report import make_report
from difftem.tasks.mtf_fit.result import MTFFitResult, Whiteness
from difftem.tasks.mtf_fit.specimen_power import (
    STRUCTURE,
    restrict,
    usable_from,
    without_ice_ring,
)
from difftem.tasks.mtf_fit.task import LOSSES, MTFFit

__all__ = [
    "FAMILIES",
    "LOSSES",
    "STRUCTURE",
    "MTFFit",
    "MTFFitResult",
    "Measurement",
    "Whiteness",
    "fit_spectrum",
    "make_report",
    "measure",
    "mtf_family",
    "restrict",
    "select_family",
    "usable_from",
    "usual_families",
    "without_ice_ring",
]
