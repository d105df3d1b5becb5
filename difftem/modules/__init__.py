"""The stages of the microscope as modules, in the order of the beam."""

from difftem.modules.beam import Beam
from difftem.modules.detector import Detector
from difftem.modules.dose import Dose
from difftem.modules.lens import Lens
from difftem.modules.mtf import (
    MTF,
    GaussLorentzSincMTF,
    IdealMTF,
    LogSplineMTF,
    LorentzianMTF,
    RullgardMTF,
    TabulatedMTF,
)
from difftem.modules.multislice import Multislice
from difftem.modules.poisson import PoissonLayer
from difftem.modules.pose import Pose
from difftem.modules.potential import Potential
from difftem.modules.simulator import Exposure, Simulator
from difftem.modules.solvent import IceSlab

__all__ = [
    "MTF",
    "Beam",
    "Detector",
    "Dose",
    "Exposure",
    "GaussLorentzSincMTF",
    "IceSlab",
    "IdealMTF",
    "Lens",
    "LogSplineMTF",
    "LorentzianMTF",
    "Multislice",
    "PoissonLayer",
    "Pose",
    "Potential",
    "RullgardMTF",
    "Simulator",
    "TabulatedMTF",
]
