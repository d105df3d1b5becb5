"""A bank of clean micrographs of all kinds of specimens, made once by the simulator."""
