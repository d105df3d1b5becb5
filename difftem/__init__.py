"""A differentiable transmission electron microscope: from atoms to micrographs, in PyTorch.

The beam path is the order of the files: atoms, potential, multislice, lens, dose, poisson, mtf,
detector. `difftem.functional` holds the pure functions, `difftem.modules` the `torch.nn.Module`
of the same name; ``difftem --help`` lists the commands.
"""

__version__ = "0.1.0"
