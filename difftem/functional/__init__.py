"""Pure functions of every stage: plain PyTorch, the reference for the kernels."""
