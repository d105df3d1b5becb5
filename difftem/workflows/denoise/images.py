"""Every image of an input: noise, method, back to grey values, report."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict

import torch
from tqdm import tqdm

from difftem.simulation.device import accelerator_device
from difftem.workflows.denoise.choice import chosen_method
from difftem.workflows.denoise.exposures import DenoiseInput, check_noise_is_whole
from difftem.workflows.denoise.figure import draw_panel
from difftem.workflows.denoise.memory import check_denoise_memory
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.noise import find_noise, noise_numbers
from difftem.workflows.denoise.one_image import compare, estimate_image
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.report import write_report
from difftem.workflows.denoise.result import DenoiseResult

logger = logging.getLogger(__name__)


def denoise_input(
    found: DenoiseInput,
    options: DenoiseOptions,
    messages: Sequence[str],
    others: Collection[str] = (),
) -> DenoiseResult:
    """Denoise every image of an input.

    Parameters
    ----------
    found : DenoiseInput
        One image of some exposures, or a stack of images.
    options : DenoiseOptions
        What was asked for.
    messages : sequence of str
        That grows while something is said.
    others : collection of str
        Names of files that are not part of it: what was said of them is left out.

    Returns
    -------
    DenoiseResult
        Images, numbers and report.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    ny, nx = found.shape
    device = accelerator_device(options.accelerator)
    pixel_size = options.pixel_size or found.pixel_size
    name, why = options.method, "as asked for"
    if name == "auto":
        choice = chosen_method()
        name, why = choice.method, f"the default: {choice.why}"
    method = METHODS[name]
    logger.info("%s: method %s (%s), %s", found.name, name, method.what, why)
    denoiser = method.load()
    kept = torch.empty(2, found.count, ny, nx)
    numbers, sentences, panel = [], [], None
    generator = torch.Generator(device).manual_seed(options.seed)
    shown = found.count // 2
    noted = 0
    for index in tqdm(
        range(found.count), desc=found.name, disable=None if found.count > 1 else True
    ):
        exposures = found.image(index).to(device)
        check_noise_is_whole(found, exposures, options.force)
        if len(exposures) < method.least_exposures:
            raise ValueError(
                f"{found.name}: method {name} needs {method.least_exposures} exposures of a "
                f"field, there is {len(exposures)}"
            )
        for note in found.notes[noted:]:
            logger.info("note: %s", note)
        noted = len(found.notes)
        check_denoise_memory(ny * nx, len(exposures), 0, options.memory_limit_gb)
        noise = find_noise(exposures, options, found.frames_per_exposure, pixel_size)
        whitened, sentence = noise.whiten(exposures, pixel_size), noise.sentence()
        for line in noise.warnings:
            logger.warning("%s: %s", found.name, line)
        which = f" image {index + 1}" if found.count > 1 else ""
        if found.count == 1 or index == shown:
            logger.info("%s%s: %s", found.name, which, sentence)
        estimate = estimate_image(whitened, denoiser, generator)
        each, curves = compare(whitened, estimate, noise_numbers(noise))
        grey, mean = whitened.grey_values(estimate).cpu(), exposures.mean(0).cpu()
        kept[0, index] = found.scale * grey
        kept[1, index] = found.scale * (mean - grey)
        numbers.append(each)
        sentences.append(f"image {index + 1}: {sentence}" if found.count > 1 else sentence)
        if index == shown:
            pictures = [("input", mean), ("denoised", grey)]
            title = f"{found.name}{which}: {name}"
            panel = draw_panel(pictures, curves, pixel_size, title)
    denoised, residual = kept if found.stacked else kept[:, 0]
    said = [line for line in messages if line.partition(":")[0] not in others]
    report = write_report(found.name, f"{name}: {method.what}; {why}", numbers, sentences, said)
    return DenoiseResult(
        found.name,
        found.files,
        denoised,
        residual,
        None,
        name,
        pixel_size,
        numbers,
        asdict(options),
        said,
        report,
        panel,
    )
