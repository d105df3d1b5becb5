"""Reconstructions of denoised tilt series, held against the truth."""
