"""Training of networks that take noise off."""

from difftem.tasks.denoise.losses import DENOISING_LOSSES, denoising_loss
from difftem.tasks.denoise.scores import DenoisingScores, image_scores
from difftem.tasks.denoise.task import Denoise

__all__ = ["DENOISING_LOSSES", "Denoise", "DenoisingScores", "denoising_loss", "image_scores"]
