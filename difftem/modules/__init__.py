"""The stages of the microscope as modules, in the order of the beam."""

from difftem.modules.beam import Beam
from difftem.modules.detector import Detector
from difftem.modules.dose import Dose
from difftem.modules.film import IceFilm
from difftem.modules.ice_layer import IceLayer
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
from difftem.modules.poisson import PoissonLayer
from difftem.modules.pose import Pose
from difftem.modules.potential import Potential
from difftem.modules.simulator import Exposure, Simulator
from difftem.modules.solvent import IceSlab
from difftem.modules.specimen import Specimen
from difftem.modules.specimen_simulator import Micrographs, SpecimenSimulator
from difftem.modules.stage import Stage

__all__ = [
    "MTF",
    "Beam",
    "Detector",
    "Dose",
    "Exposure",
    "GaussLorentzSincMTF",
    "IceFilm",
    "IceLayer",
    "IceSlab",
    "IdealMTF",
    "InelasticMultislice",
    "Instances",
    "Lens",
    "LogSplineMTF",
    "LorentzianMTF",
    "Micrographs",
    "Multislice",
    "Particle",
    "PoissonLayer",
    "Pose",
    "Potential",
    "RullgardMTF",
    "Simulator",
    "Specimen",
    "SpecimenSimulator",
    "Stage",
    "TabulatedMTF",
]
