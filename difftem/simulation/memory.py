"""How much memory a run will need, before it starts."""

import logging

import torch

from difftem.atoms import Atoms
from difftem.functional.lens import ABERRATIONS
from difftem.modules import Potential
from difftem.simulation.available_memory import reachable_bytes
from difftem.simulation.config import MicroscopeConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.sampling import PaddedField, Sampling
from difftem.simulation.simulate_config import SimulateConfig

logger = logging.getLogger(__name__)

# Fitted to the peaks of experiments/memory, from above. Interpreter and libraries; a pixel of the
# waves in a round lens and in one whose transfer is known nowhere from elsewhere; a pixel of the
# potential, and of each of its radial functions; an atom; a pixel of a written image.
BASE_BYTES = 480e6
# What the libraries of PyTorch's builds for CUDA 13 take beyond those of a CPU build: 300 MB with
# 2.13, 370 MB with 2.15.
CUDA_BYTES = 370e6
ROUND_LENS_BYTES, LENS_BYTES = 85, 235
POTENTIAL_BYTES, BASIS_BYTES = 60, 9
BYTES_PER_ATOM = 190
IMAGE_BYTES = 8
ICE_BYTES = 70  # of a pixel of the waves, while structured ice is drawn
LARGE_BYTES = 2e9
SAMPLE = 20_000  # atoms whose radial functions are counted


def lens_bytes(field: PaddedField, microscope: MicroscopeConfig) -> float:
    """Peak of the lens in bytes."""
    uneven = any(ABERRATIONS[name][1] for name in microscope.aberrations)
    uneven = uneven or any(microscope.beam_tilt_mrad) or microscope.astigmatism_um != 0
    return (LENS_BYTES if uneven else ROUND_LENS_BYTES) * _area(field.wave_shape)


def ice_bytes(field: PaddedField, ice: IceConfig) -> float:
    """Predict what structured ice takes beside the slices it is added to, in bytes."""
    return ICE_BYTES * _area(field.wave_shape) if ice.structure else 0.0


def estimate_bytes(
    atoms: Atoms | None,
    config: SimulateConfig,
    sampling: Sampling,
    n_micrographs: int,
    n_noise_free: int = 1,
) -> float:
    """Peak memory of a streamed run in bytes.

    Parameters
    ----------
    atoms : Atoms or None
        The whole specimen; None where there is no particle.
    config : SimulateConfig
        As given.
    sampling : Sampling
        The padded field.
    n_micrographs, n_noise_free : int
        Images that are kept until they are written.

    Returns
    -------
    float
        Bytes.
    """
    images = IMAGE_BYTES * _area(sampling.crop) * (n_micrographs + n_noise_free)
    lens = lens_bytes(sampling, config.microscope)
    ice = ice_bytes(sampling, config.ice)
    if atoms is None:
        return BASE_BYTES + max(POTENTIAL_BYTES * _area(sampling.wave_shape) + ice, lens) + images
    every = max(1, len(atoms) // SAMPLE)
    some = Atoms(
        atoms.positions.detach()[::every],
        atoms.atomic_numbers[::every],
        atoms.b_factors.detach()[::every],
        atoms.occupancies.detach()[::every],
    )
    like = Potential(
        some,
        sampling.wave_shape,
        sampling.wave_pixel_size,
        1,
        1.0,
        table=config.sampling.table,
        solvated=config.ice.present,
        band_limit=config.sampling.potential_band_limit,
    )
    slices: float = (POTENTIAL_BYTES + BASIS_BYTES * len(like.basis().radial)) * _area(
        sampling.wave_shape
    )
    double = 2 if atoms.positions.dtype == torch.float64 else 1
    slices += ice
    return BASE_BYTES + double * (max(slices, lens) + BYTES_PER_ATOM * len(atoms) + images)


def wave_bytes(sampling: Sampling, n_tilts: int) -> float:
    """Bytes of exit waves that are kept until they are written, as complex64 and once more."""
    return 16.0 * n_tilts * _area(sampling.wave_shape)


def check_memory(
    needed: float,
    device: torch.device | None = None,
    limit_gb: float | None = None,
    processes: int = 1,
    advice: str = "a smaller sampling.size or sampling.padding, or fewer copies, would do",
) -> None:
    """Compare an estimate with what can be had, or what is allowed; log it if it is large.

    Parameters
    ----------
    needed : float
        Peak of one process in bytes, with a CPU build of PyTorch.
    device : torch.device, optional
        That computes. Default: the CPU.
    limit_gb : float, optional
        What all processes may take in GB, whatever the machine has.
    processes : int
        That run at once.
    advice : str
        What would do.

    Raises
    ------
    ValueError
        If the run cannot fit.
    """
    libraries = CUDA_BYTES if torch.backends.cuda.is_built() else 0.0
    total = (needed + libraries) * (processes + 1 if processes > 1 else 1)  # one deals out the work
    where, what = "memory", "allowed by memory_limit_gb (--memory-limit)"
    if limit_gb is not None:
        room = limit_gb * 1e9
    elif device is not None and device.type == "cuda":
        room, where, what = float(torch.cuda.mem_get_info(device)[0]), "GPU memory", "free"
        total = needed - BASE_BYTES
    else:
        room, what = reachable_bytes()
    many = f"{processes} processes need" if processes > 1 else "this run needs"
    gigabytes = f"{many} about {total / 1e9:.2f} GB of {where}, {room / 1e9:.2f} GB are {what}"
    if total > room:
        fewer = "; fewer devices" if processes > 1 else ""
        raise ValueError(f"{gigabytes}{fewer}; {advice}; see difftem docs memory")
    if total > LARGE_BYTES:
        logger.info("%s", gigabytes, extra={"needed_bytes": total})


def _area(shape: tuple[int, int]) -> int:
    """Pixels."""
    return shape[0] * shape[1]


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch, CUDA or cuFFT found no memory.

    Parameters
    ----------
    error : RuntimeError
        As raised, or with the last line of another process as its text.

    Returns
    -------
    bool
        By its kind and its words.
    """
    words = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
    return type(error).__name__ == "OutOfMemoryError" or any(each in str(error) for each in words)
