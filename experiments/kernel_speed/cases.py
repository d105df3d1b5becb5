"""What is timed: each op and the whole chain, as a user's modules call them.

Random inputs are drawn on the CPU, so that all devices and precisions see the same; those that are
too large for that are timed only, and drawn where they are needed.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.functional.multislice import fresnel_propagator
from difftem.functional.pose import rotation_from_vector
from difftem.functional.projection import template_spectrum
from difftem.modules import Beam, Multislice, Potential
from difftem.ops import wave as wave_ops
from difftem.ops.patches import add_patches
from difftem.ops.projection import extract_slices

PIXEL_A, SLICE_A = 0.5, 2.0
PATCH = 108  # pixels per side of a particle's image
DRAWN_ON_CPU = 30_000_000  # numbers of one input
FFT_BYTES = 32  # of one complex64 pixel: two passes, each read and written


class Work(NamedTuple):
    """One op on one set of inputs."""

    run: Callable[[], Tensor]
    inputs: Sequence[Tensor]  # with a gradient each
    floor: tuple[float, float]  # bytes that have to move: forward, forward and backward


class Size(NamedTuple):
    """How large a case is."""

    n: int  # pixels per side of a wave or slice, voxels per side of a template
    slices: int = 1  # or what `counted` says
    atoms: int = 0
    counted: str = "slices"

    def __str__(self) -> str:
        parts = [f"{self.n}²"]
        parts += [f"{self.slices} {self.counted}"] if self.slices > 1 else []
        parts += [f"{self.atoms} atoms"] if self.atoms else []
        return ", ".join(parts)


Prepare = Callable[[Size, torch.device, torch.dtype, int], Work]


def transmit(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """One wave through one slice."""
    draw = _Draw(seed, device, dtype)
    wave = draw.normal(size.n, size.n, complex_=True)
    v, sigma = draw.uniform(size.n, size.n), draw.constant(0.7)
    floor = size.n**2 * 20.0, size.n**2 * 52.0  # wave and v in, wave out; and again with gradients
    return Work(lambda: wave_ops.transmit(wave, v, sigma), (wave, v), floor)


def propagate(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """One wave to the next slice."""
    draw = _Draw(seed, device, dtype)
    wave = draw.normal(size.n, size.n, complex_=True)
    propagator = _propagator(size.n, device, dtype)
    floor = size.n**2 * (2 * FFT_BYTES + 24.0)
    return Work(lambda: wave_ops.propagate(wave, propagator), (wave,), (floor, 2 * floor))


def project_potential(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """All slices of a protein's potential, one after the other; none is kept."""
    potential, positions = _potential(size, device, dtype, seed)

    def run() -> Tensor:
        slices = potential.slices(positions)
        total = next(slices)
        for slice_ in slices:
            total = total + slice_  # three passes over a slice that are not the op's
        return total

    forward = 4.0 * size.n**2 * size.slices + 16.0 * size.atoms
    return Work(run, (positions,), (forward, 2 * forward))


def extract(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """Central slices of a template for many poses."""
    draw = _Draw(seed, device, dtype)
    volume = draw.normal(size.n, size.n, size.n)
    vectors = draw.normal(size.slices, 3)
    limit = 0.25
    spectrum = template_spectrum(volume.detach(), 1.0, limit)
    spectrum = spectrum._replace(table=spectrum.table.requires_grad_())
    q = torch.fft.fftfreq(size.n)
    qy, qx = torch.meshgrid(q, q, indexing="ij")
    inside = torch.hypot(qy, qx) < limit * 0.99
    frequency = torch.stack([qx[inside], qy[inside], 0 * qx[inside]], -1).to(device, dtype)
    points = size.slices * len(frequency)

    def run() -> Tensor:
        return extract_slices(spectrum, rotation_from_vector(vectors), frequency)

    table = 4.0 * spectrum.table.numel() / spectrum.interpolation.width
    forward = 20.0 * points + table
    return Work(run, (vectors, spectrum.table), (forward, 2 * forward + 12 * points + table))


def patches(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """Images of many particles into an empty slice."""
    draw = _Draw(seed, device, dtype)
    images = draw.normal(size.slices, PATCH, PATCH, complex_=True)
    where = torch.randint(-PATCH, size.n, (size.slices, 2), generator=draw.generator).to(device)

    def run() -> Tensor:
        field = torch.zeros(size.n, size.n, device=device, dtype=images.dtype)
        return add_patches(field, images, where)

    field, read = 8.0 * size.n**2, 8.0 * images.numel()
    return Work(run, (images,), (3 * field + read, 4 * field + 3 * read))


def multislice(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """From a stack of slices to the exit wave."""
    draw = _Draw(seed, device, dtype)
    stack = draw.uniform(size.slices, size.n, size.n, scale=100.0)
    one, beam = Multislice(PIXEL_A, SLICE_A), Beam(300.0).to(device)

    def run() -> Tensor:
        return one(stack, beam)

    return Work(run, (stack,), _multislice_floor(size))


def chain(size: Size, device: torch.device, dtype: torch.dtype, seed: int) -> Work:
    """Atoms to the exit wave; the slices are not stored where they are many."""
    potential, positions = _potential(size, device, dtype, seed)
    one, beam = Multislice(PIXEL_A, SLICE_A), Beam(300.0).to(device)

    def run() -> Tensor:
        return one(potential.source(positions), beam)

    atoms = 16.0 * size.atoms
    forward, both = _multislice_floor(size)
    return Work(run, (positions,), (forward + atoms, both + 2 * atoms))


CASES: dict[str, Prepare] = {
    "transmit": transmit,
    "propagate": propagate,
    "project_potential": project_potential,
    "extract_slices": extract,
    "add_patches": patches,
    "multislice": multislice,
    "chain": chain,
}
# Sizes that are checked, and that are timed on a CPU, on a GPU and by the tests.
CHECKED = {
    "transmit": Size(65),
    "propagate": Size(65),
    "project_potential": Size(96, 3, 200),
    "extract_slices": Size(16, 3, counted="poses"),
    "add_patches": Size(65, 4, counted="images"),
    "multislice": Size(64, 5),
    "chain": Size(64, 5, 200),
}
ON_CPU = {
    "transmit": [Size(512), Size(1024)],
    "propagate": [Size(512), Size(1024)],
    "project_potential": [Size(512, 10, 10_000)],
    "extract_slices": [Size(64, 20, counted="poses")],
    "add_patches": [Size(1024, 100, counted="images")],
    "multislice": [Size(256, 20), Size(512, 20)],
    "chain": [Size(256, 20, 5000)],
}
ON_GPU = {
    "transmit": [Size(1024), Size(2048), Size(4096)],
    "propagate": [Size(1024), Size(2048), Size(4096)],
    "project_potential": [Size(1024, 50, 100_000), Size(2048, 100, 1_000_000)],
    "extract_slices": [Size(128, 200, counted="poses"), Size(256, 200, counted="poses")],
    "add_patches": [Size(n, 1000, counted="images") for n in (1024, 4096)],
    "multislice": [Size(1024, 100), Size(2048, 100), Size(4096, 100)],
    "chain": [Size(1024, 50, 100_000), Size(2048, 100, 1_000_000)],
}


def _multislice_floor(size: Size) -> tuple[float, float]:
    """Forward pass; and the waves made again, and led back beside their gradients."""
    transmitted, propagated = 20.0, 2 * FFT_BYTES + 24.0
    forward = transmitted + propagated
    pixels = float(size.slices * size.n**2)
    return pixels * forward, pixels * (2 * forward + propagated + 32.0)


def _potential(
    size: Size, device: torch.device, dtype: torch.dtype, seed: int
) -> tuple[Potential, Tensor]:
    """Hydrogen, carbon, nitrogen and oxygen with B-factors, all over the field."""
    draw = _Draw(seed, torch.device("cpu"), torch.float64)
    box = torch.tensor([size.n * PIXEL_A, size.n * PIXEL_A, size.slices * SLICE_A])
    positions = (draw.uniform(size.atoms, 3).detach() - 0.5) * box
    numbers = torch.tensor([1, 6, 7, 8])[torch.randint(4, (size.atoms,), generator=draw.generator)]
    b_factors = 20 + 20 * draw.uniform(size.atoms).detach()
    atoms = Atoms(positions, numbers, b_factors, torch.ones_like(b_factors))
    one = Potential(atoms, (size.n, size.n), PIXEL_A, size.slices, SLICE_A, interpolate_z=True)
    one = one.to(device, dtype)
    return one, one.positions.detach().clone().requires_grad_()


def _propagator(n: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    wavelength = Beam(300.0).to(device).wavelength
    return fresnel_propagator((n, n), PIXEL_A, SLICE_A, wavelength, dtype=dtype)


class _Draw:
    """Random tensors with gradients."""

    def __init__(self, seed: int, device: torch.device, dtype: torch.dtype) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.device, self.dtype = device, dtype

    def normal(self, *shape: int, complex_: bool = False) -> Tensor:
        kind = torch.complex128 if complex_ else torch.float64
        made = torch.randn(shape, generator=self.generator, dtype=kind)
        to = self.dtype.to_complex() if complex_ else self.dtype
        return made.to(self.device, to).requires_grad_()

    def uniform(self, *shape: int, scale: float = 1.0) -> Tensor:
        if math.prod(shape) > DRAWN_ON_CPU:
            made = torch.rand(shape, device=self.device, dtype=self.dtype)
            return made.mul_(scale).requires_grad_()
        made = scale * torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return made.to(self.device, self.dtype).requires_grad_()

    def constant(self, value: float) -> Tensor:
        return torch.tensor(value, device=self.device, dtype=self.dtype)
