"""How much memory denoising will need, before it reads its images."""

from difftem.simulation.memory import check_memory

# Fitted from above to the peaks of experiments/denoise_speed.
BASE_BYTES, BYTES_PER_PIXEL, BYTES_PER_EXPOSURE_PIXEL = 600e6, 40, 12


def denoise_bytes(pixels: int, exposures: int, file_bytes: int) -> float:
    """Peak memory of denoising in bytes.

    Parameters
    ----------
    pixels : int
        Of one image.
    exposures : int
        Of it that are in memory.
    file_bytes : int
        Of what stays in memory beside it: a stack whose images are taken one by one.

    Returns
    -------
    float
        Bytes.
    """
    return (
        BASE_BYTES + (BYTES_PER_PIXEL + BYTES_PER_EXPOSURE_PIXEL * exposures) * pixels + file_bytes
    )


def check_denoise_memory(
    pixels: int, exposures: int, file_bytes: int, limit_gb: float | None
) -> None:
    """Refuse what cannot fit into memory, or into what is allowed.

    Parameters
    ----------
    pixels, exposures, file_bytes
        As of `denoise_bytes`.
    limit_gb : float or None
        What is allowed.

    Raises
    ------
    ValueError
        If it cannot fit, in one line.
    """
    check_memory(
        denoise_bytes(pixels, exposures, file_bytes),
        limit_gb=limit_gb,
        advice="fewer exposures at once, or binned images, would do",
    )
