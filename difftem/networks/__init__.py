"""Networks that take noise off: plain modules on whitened images."""

from difftem.networks.bias_free_unet import BiasFreeUNet
from difftem.networks.deviation import DeviationNetwork
from difftem.networks.dncnn import DnCNN
from difftem.networks.lattice_unet import LatticeUNet
from difftem.networks.live_channels import DeadNetworkError, check_alive, live_channels
from difftem.networks.noise2noise_unet import Noise2NoiseUNet
from difftem.networks.reach import ComputedField, computed_field
from difftem.networks.receptive_field import ReceptiveField, receptive_field
from difftem.networks.unet import UNet

__all__ = [
    "BiasFreeUNet",
    "ComputedField",
    "DeadNetworkError",
    "DeviationNetwork",
    "DnCNN",
    "LatticeUNet",
    "Noise2NoiseUNet",
    "ReceptiveField",
    "UNet",
    "check_alive",
    "computed_field",
    "live_channels",
    "receptive_field",
]
