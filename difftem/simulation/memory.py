"""How much memory a run will need, before it starts."""

import logging

import psutil
import torch

from difftem.simulation.sampling import Sampling

logger = logging.getLogger(__name__)

# Fitted to peak_memory_bytes in the run.json of 512² to 4096² fields with up to 7 M atoms:
# interpreter and libraries, then bytes per pixel of the padded field and per atom.
BASE_BYTES = 450e6
BYTES_PER_PIXEL = 185
BYTES_PER_ATOM = 130
LARGE_BYTES = 2e9


def estimate_bytes(sampling: Sampling, n_atoms: int, n_micrographs: int) -> float:
    """Peak memory of a streamed run in bytes.

    Parameters
    ----------
    sampling : Sampling
        The padded field.
    n_atoms : int
        Atoms of the whole specimen.
    n_micrographs : int
        Tilts times exposures, which are kept until they are written.

    Returns
    -------
    float
        Bytes.
    """
    pixels = sampling.shape[0] * sampling.shape[1]
    kept = sampling.crop[0] * sampling.crop[1] * n_micrographs * 8
    return BASE_BYTES + BYTES_PER_PIXEL * pixels + BYTES_PER_ATOM * n_atoms + kept


def wave_bytes(sampling: Sampling, n_tilts: int) -> float:
    """Bytes of exit waves that are kept until they are written, as complex64 and once more."""
    return 16.0 * n_tilts * sampling.wave_shape[0] * sampling.wave_shape[1]


def check_memory(needed: float, device: torch.device | None = None) -> None:
    """Compare an estimate with what the machine, or its GPU, has free; log it if it is large.

    Parameters
    ----------
    needed : float
        Bytes.
    device : torch.device, optional
        That computes. Default: the CPU.

    Raises
    ------
    ValueError
        If the run cannot fit.
    """
    on_gpu = device is not None and device.type == "cuda"
    free = torch.cuda.mem_get_info(device)[0] if on_gpu else psutil.virtual_memory().available
    where = "GPU memory" if on_gpu else "memory"
    gigabytes = f"needs about {needed / 1e9:.1f} GB of {where}, {free / 1e9:.1f} GB are free"
    if needed > free:
        raise ValueError(
            f"this run {gigabytes}; a smaller sampling.size or sampling.padding, or fewer copies, "
            "would do"
        )
    if needed > LARGE_BYTES:
        logger.info("this run %s", gigabytes)


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
