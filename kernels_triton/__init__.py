"""Raw Triton kernels, their launchers and their lists; `difftem.ops` decides when they run."""
