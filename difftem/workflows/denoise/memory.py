"""How much memory denoising will need, before it reads its images."""

from difftem.io.weights import read_weights
from difftem.simulation.memory import check_memory
from difftem.workflows.denoise.choice import chosen_weights
from difftem.workflows.denoise.domain import trained_domain
from difftem.workflows.denoise.exposures import DenoiseInput
from difftem.workflows.denoise.load_network import find_weights
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.options import DenoiseOptions

# Fitted from above to the peaks of experiments/denoise_speed: interpreter and libraries; a pixel
# of an image, of each exposure, of each image that is kept to be written, of a network's tiles.
BASE_BYTES, BYTES_PER_PIXEL, BYTES_PER_EXPOSURE_PIXEL, BYTES_KEPT = 700e6, 70, 12, 8
NETWORK_BYTES = 500e6
OF_METHOD = {"map": 150, "paper": 180}  # a pixel instead, measured in the same way
# Networks at full resolution, by how their methods begin: a pixel, of so many at a time; measured
# at 1024 x 1024 pixels, Topaz's in its own process.
FULL_RESOLUTION = {"noise2noise": (1700, 1472**2), "topaz": (1200, 2048**2)}


def denoise_bytes(found: DenoiseInput, name: str, with_std: bool, options: DenoiseOptions) -> float:
    """Peak memory of denoising in bytes.

    Parameters
    ----------
    found : DenoiseInput
        Read already.
    name : str
        Of the method.
    with_std : bool
        The standard deviation is estimated.
    options : DenoiseOptions
        What was asked for.

    Returns
    -------
    float
        Bytes.
    """
    pixels = found.shape[0] * found.shape[1]
    network = NETWORK_BYTES if METHODS[name].trained else 0.0
    if METHODS[name].trained:
        network += BYTES_PER_PIXEL * _resampled_pixels(found, options)
    for start, (each, at_once) in FULL_RESOLUTION.items():
        if name.startswith(start):
            network = NETWORK_BYTES + each * min(pixels, at_once)
    images = 2 + with_std + options.mark
    exposure = BYTES_PER_EXPOSURE_PIXEL * found.exposures
    kept = BYTES_KEPT * images * found.count
    pixel = OF_METHOD.get(name, BYTES_PER_PIXEL)
    return BASE_BYTES + network + pixels * (pixel + exposure + kept)


def check_denoise_memory(
    found: DenoiseInput, name: str, with_std: bool, options: DenoiseOptions
) -> None:
    """Refuse what cannot fit into memory, or into what is allowed.

    Parameters
    ----------
    found, name, with_std, options
        As of `denoise_bytes`.

    Raises
    ------
    ValueError
        If it cannot fit, in one line.
    """
    check_memory(
        denoise_bytes(found, name, with_std, options),
        limit_gb=options.memory_limit_gb,
        advice="fewer images at once, fewer exposures, or binned images would do",
    )


def _resampled_pixels(found: DenoiseInput, options: DenoiseOptions) -> float:
    """Pixels of an image as the network gets it, where that is not as it is."""
    pixel_size = options.pixel_size or found.pixel_size
    weights = find_weights(options.weights or chosen_weights(pixel_size))
    domain = trained_domain(read_weights(weights).account, weights)
    if domain is None or pixel_size is None or not domain.resamples(pixel_size):
        return 0.0
    ny, nx = domain.shape(found.shape, pixel_size)
    return float(ny * nx)
