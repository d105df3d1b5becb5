"""The stages of the microscope as modules, in the order of the beam."""

from difftem.modules.beam import Beam
from difftem.modules.detector import Detector
from difftem.modules.dose import Dose
from difftem.modules.exposure import ExitWave, Exposure
from difftem.modules.flat_ice import FlatIce
from difftem.modules.holey_ice import HoleyIce
from difftem.modules.inelastic import InelasticMultislice
from difftem.modules.instances import Instances
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
from difftem.modules.particle import Particle
from difftem.modules.particle_specimen import ParticleSpecimen
from difftem.modules.poisson import PoissonLayer
from difftem.modules.pose import Pose
from difftem.modules.potential import Potential
from difftem.modules.simulator import Simulator
from difftem.modules.specimen import Specimen, View
from difftem.modules.stage import Stage
from difftem.modules.structured_ice import StructuredIce

__all__ = [
    "MTF",
    "Beam",
    "Detector",
    "Dose",
    "ExitWave",
    "Exposure",
    "FlatIce",
    "GaussLorentzSincMTF",
    "HoleyIce",
    "IdealMTF",
    "InelasticMultislice",
    "Instances",
    "Lens",
    "LogSplineMTF",
    "LorentzianMTF",
    "Multislice",
    "Particle",
    "ParticleSpecimen",
    "PoissonLayer",
    "Pose",
    "Potential",
    "RullgardMTF",
    "Simulator",
    "Specimen",
    "Stage",
    "StructuredIce",
    "TabulatedMTF",
    "View",
]
