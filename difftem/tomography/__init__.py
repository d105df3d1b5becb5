"""Single-axis tomography: projector, weighted back-projection, SIRT, alignment of tilt series."""
