"""Raw Triton kernels and their launchers; `difftem.ops` decides when they run."""
