"""`difftem.reconstruct`: a volume from a tilt series."""
