"""Denoising of micrographs: the camera's noise, a method, and what its result is worth."""
