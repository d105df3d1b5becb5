"""The DiffTEM paper's denoiser: an image is learnt through Poisson noise and the camera."""

from difftem.tasks.wave_fit.task import WaveFit

__all__ = ["WaveFit"]
