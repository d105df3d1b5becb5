"""Detector presets: MTFs fitted to published curves, and the noise beside real micrographs."""
