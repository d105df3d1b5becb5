"""Speed of the Triton kernels beside plain PyTorch, and beside the memory's bandwidth."""
