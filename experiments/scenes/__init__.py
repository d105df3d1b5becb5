"""Scenes of many particles for `difftem generate`."""
