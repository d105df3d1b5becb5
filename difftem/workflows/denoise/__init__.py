"""Micrographs without their noise, and what of them is real."""
