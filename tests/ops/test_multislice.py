import json
import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from difftem.functional import multislice as plain
from difftem.functional.beam import interaction_constant, wavelength
from difftem.functional.slice_source import as_slices
from difftem.modules import Beam, Multislice, Potential
from difftem.ops.multislice import multislice
from tests.helpers.beam import beam_of
from tests.helpers.closeness import assert_agree, assert_as_exact
from tests.helpers.specimen import random_atoms

ROOT = Path(__file__).parents[2]
ENERGY = torch.tensor(300e3, dtype=torch.float64)
LAM, SIGMA = wavelength(ENERGY), interaction_constant(ENERGY)


def memory(case, n_slices, size, n_atoms=0):
    """Bytes by which one gradient makes a process grow, beside the gradient itself."""
    command = [sys.executable, "-m", "tests.ops.memory_case", case]
    done = subprocess.run(
        [*command, str(n_slices), str(size), str(n_atoms)],
        cwd=ROOT,
        # Large arrays in pages of their own, given back when freed: what counts is what lives.
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "1000000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return found["grown"] - found["gradient"]


needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")


@needs_linux
@pytest.mark.slow
@pytest.mark.parametrize(("case", "limit"), [("stacked", 4 * math.sqrt(36)), ("unitary", 12)])
def test_gradient_takes_few_waves_beside_potential_and_its_gradient(case, limit):
    wave = 8 * 512**2
    assert 2 * wave < memory(case, 36, 512) < limit * wave


@needs_linux
@pytest.mark.slow
def test_gradient_to_atoms_through_200_slices_stays_below_potential_plus_60_waves():
    wave, n_slices = 8 * 512**2, 200  # 44 waves; of 1024² pixels 40
    potential, waves = n_slices * wave / 2, 4 * math.sqrt(n_slices)
    assert waves < 60
    assert potential < memory("kept", n_slices, 512, 2000) < potential + waves * wave


@needs_linux
@pytest.mark.slow
def test_gradient_that_makes_slices_anew_never_holds_the_potential():
    wave, n_slices = 8 * 512**2, 200
    limit = 4 * math.sqrt(n_slices) * wave
    assert memory("streamed", n_slices, 512, 2000) < limit < n_slices * wave / 2


@needs_linux
@pytest.mark.slow
def test_gradient_to_a_million_atoms_stays_below_2_gb():
    assert 24_000_000 < memory("kept", 3, 256, 1_000_000) < 2_000_000_000


@pytest.mark.parametrize("given", ["stacked", "listed"])
@pytest.mark.parametrize(
    ("batch", "tilts", "absorbs", "masked", "band_limit"),
    [
        ((), (), "nothing", False, 2 / 3),
        ((2,), (), "contrast", False, 2 / 3),
        ((), (2,), "imaginary", False, 2 / 3),
        ((1, 2), (1, 2), "both", True, 2 / 3),
        ((), (), "nothing", True, 2 / 3),
        ((2,), (), "many contrasts", False, 2 / 3),
        ((), (2,), "nothing", False, None),
        ((), (), "imaginary", False, None),
    ],
)
def test_wave_and_all_gradients_are_those_of_autograd(
    batch, tilts, absorbs, masked, band_limit, given
):
    shape, n = (9, 11), 5
    kind = torch.complex128 if absorbs in ("imaginary", "both") else torch.float64
    stack = 300 * torch.rand(*batch, n, *shape, dtype=kind)
    leaves = [stack.requires_grad_(), SIGMA.clone().requires_grad_()]
    tilt = 1e-2 * torch.randn(*tilts, 2, dtype=torch.float64)
    leaves.append(tilt.requires_grad_())
    contrast = None
    if absorbs in ("contrast", "both", "many contrasts"):
        value = [0.1, 0.3] if absorbs == "many contrasts" else 0.2
        contrast = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        leaves.append(contrast)
    mask = torch.rand(shape, dtype=torch.float64) if masked else None
    if mask is not None:  # even, as the transform of a real function
        mask = mask + torch.roll(mask.flip(0, 1), (1, 1), (0, 1))
    ours = partial(multislice, unitary=band_limit is None)
    results = []
    for run, slices in (
        (ours, stack if given == "stacked" else list(stack.unbind(-3))),
        (plain.multislice, stack.unbind(-3)),
    ):
        propagator = plain.fresnel_propagator(shape, 0.4, 3.0, LAM, tilt, band_limit)
        wave = run(slices, leaves[1], propagator, amplitude_contrast=contrast, mask=mask)
        weight = torch.linspace(0, 1, wave.numel(), dtype=torch.float64).reshape(wave.shape)
        gradients = torch.autograd.grad((wave.abs().square() * weight).sum(), leaves)
        results.append((wave.detach(), *gradients))
    assert_agree(*results, 1e-11)


@pytest.mark.parametrize(("kept_bytes", "absorbs"), [(0, True), (10**9, False)])
def test_whole_chain_through_the_kernels_is_that_of_pytorch(
    kernels, monkeypatch, kept_bytes, absorbs
):
    device, dtype, tolerance = kernels
    atoms = random_atoms(12, (9.0, 9.0, 6.0), (6, 8, 26), (20.0, 30.0))
    results = []
    for mode, kind in (("triton", dtype), ("torch", dtype), ("torch", torch.float64)):
        monkeypatch.setenv("DIFFTEM_KERNELS", mode)
        beam = Beam(300.0, learnable=("voltage_kv",)).to(device)
        learned = ("b_factors", "occupancies")
        potential = Potential(atoms, (18, 19), 0.5, 3, 2.0, interpolate_z=True, learnable=learned)
        contrast = ("amplitude_contrast",) if absorbs else ()
        one = Multislice(
            0.5, 2.0, amplitude_contrast=0.1, learnable=contrast, kept_bytes=kept_bytes
        )
        potential, one = potential.to(device, kind), one.to(device, kind)
        positions = atoms.positions.to(device, kind).requires_grad_()
        wave = one(potential.source(positions), beam)
        weight = torch.linspace(0, 1, wave.numel(), dtype=kind, device=device)
        # Its intensity is 1 and hardly depends on anything; the phase does.
        loss = (wave.imag * weight.reshape(wave.shape)).sum()
        leaves = [positions, *potential.parameters(), *one.parameters(), *beam.parameters()]
        results.append((wave.detach(), *torch.autograd.grad(loss, leaves)))
    assert len(results[0]) == 5 + absorbs
    # In float32 the gradient of B is good to 1e-4 either way: differences of Chebyshev nodes.
    assert_as_exact(*results, tolerance)


def test_second_backward_pass_gives_the_same():
    potential = Potential(
        random_atoms(6, (9.0, 9.0, 8.0)), (20, 23), 0.5, 4, 2.0, learnable=("positions",)
    )
    wave = Multislice(0.5, 2.0)(potential.source(), beam_of(ENERGY))
    loss = (wave.real * torch.linspace(0, 1, 23, dtype=torch.float64)).sum()
    first = torch.autograd.grad(loss, potential.positions, retain_graph=True)
    assert torch.equal(*first, *torch.autograd.grad(loss, potential.positions))


@pytest.mark.parametrize("slices", [iter(()), torch.ones(0, 4, 4, dtype=torch.float64)])
def test_no_slice_is_refused(slices):
    propagator = torch.ones(4, 4, dtype=torch.complex128)
    with pytest.raises(ValueError, match="multislice needs at least one slice"):
        multislice(slices, SIGMA, propagator)


def test_fixed_slices_get_no_gradient_and_no_memory_for_one(monkeypatch):
    stack = 300 * torch.rand(4, 9, 11, dtype=torch.float64)
    sigma = SIGMA.clone().requires_grad_()
    propagator = plain.fresnel_propagator((9, 11), 0.4, 3.0, LAM)
    monkeypatch.setattr(type(as_slices(stack)), "empty_gradients", pytest.fail)
    results = []
    for run in (multislice, plain.multislice):
        wave = run(stack if run is multislice else stack.unbind(0), sigma, propagator)
        results.append(torch.autograd.grad(wave.real.square().sum(), sigma))
    assert_agree(*results, 1e-12)
