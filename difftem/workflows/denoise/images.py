"""Every image of an input: noise, method, back to grey values, report."""

import logging
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.simulation.device import accelerator_device
from difftem.workflows.denoise.choice import WEIGHTS, chosen_method, chosen_weights
from difftem.workflows.denoise.exposures import DenoiseInput, check_noise_is_whole
from difftem.workflows.denoise.figure import draw_panel
from difftem.workflows.denoise.memory import check_denoise_memory
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.noise import find_noise
from difftem.workflows.denoise.one_image import DenoisedImage, denoise_image
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.prepare import trained_network
from difftem.workflows.denoise.report import write_report
from difftem.workflows.denoise.result import DenoiseResult

logger = logging.getLogger(__name__)

_ADAPT_TO = 4  # images of a stack


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
    name, why = options.method, "as asked for"
    if name == "auto":
        choice = chosen_method()
        name, why = choice.method, "the default"
        if (options.weights or chosen_weights(options.pixel_size or found.pixel_size)) == WEIGHTS:
            why += f": {choice.why}"  # measured with these weights
    logger.info("%s: method %s (%s), %s", found.name, name, METHODS[name].what, why)
    with_std = options.std if options.std is not None else not found.stacked
    check_denoise_memory(found, name, with_std, options)
    pixel_size = options.pixel_size or found.pixel_size
    ready = None
    if METHODS[name].trained:
        chosen = [round(i * (found.count - 1) / _ADAPT_TO) for i in range(_ADAPT_TO + 1)]
        wanted = sorted({*chosen}) if options.adapt is not None else [0]
        fields = [
            find_noise(exposures, options, found).whiten(exposures, pixel_size)
            for exposures in (_read(found, i, name, options) for i in wanted)
        ]
        ready = trained_network(options, fields)
        del fields
    generator = torch.Generator().manual_seed(options.seed)
    shown, noted = found.count // 2, 0
    images: list[DenoisedImage] = []
    panel = None
    for index in tqdm(range(found.count), desc=found.name, disable=_no_bar(found.count > 1)):
        exposures = _read(found, index, name, options)
        which = f" image {index + 1}" if found.count > 1 else ""
        says = found.count == 1 or index == shown
        noise = find_noise(exposures, options, found)
        for note in [*found.notes[noted:], *(noise.notes if says else [])]:
            logger.info("note: %s", note)
        noted = len(found.notes)
        for line in noise.warnings if says else []:
            logger.warning("%s%s: %s", found.name, which, line)
        if says:
            logger.info("%s%s: %s", found.name, which, noise.sentence())
        image = denoise_image(
            exposures, noise, pixel_size, name, options, ready, generator, with_std, says
        )
        if image.marked_sentence and says:
            logger.info("%s%s: %s", found.name, which, image.marked_sentence)
        images.append(image)
        if index == shown:
            pictures = [
                (title, picture)
                for title, picture in (
                    ("input", image.mean + image.residual),
                    ("denoised", image.mean),
                    ("standard deviation", image.std),
                    ("marked", image.marked),
                )
                if picture is not None
            ]
            panel = draw_panel(pictures, image.curves, pixel_size, f"{found.name}{which}: {name}")
    said = [line for line in messages if line.partition(":")[0] not in others]
    numbers = [image.numbers for image in images]
    report = write_report(found.name, f"{name}: {METHODS[name].what}; {why}", numbers, said)

    def together(parts: list[Tensor]) -> Tensor:
        whole = [found.scale * part for part in parts]
        return torch.stack(whole) if found.stacked else whole[0]

    def if_any(parts: list[Tensor | None]) -> Tensor | None:
        there = [part for part in parts if part is not None]
        return together(there) if there else None

    return DenoiseResult(
        name=found.name,
        files=found.files,
        mean=together([i.mean for i in images]),
        residual=together([i.residual for i in images]),
        std=if_any([i.std for i in images]),
        marked=if_any([i.marked for i in images]),
        method=name,
        pixel_size=pixel_size,
        numbers=numbers,
        settings=asdict(options),
        messages=said,
        report=report,
        figure=panel,
    )


def _read(found: DenoiseInput, index: int, name: str, options: DenoiseOptions) -> Tensor:
    """Exposures of an image, where the method can take them."""
    exposures = found.image(index).to(accelerator_device(options.accelerator))
    check_noise_is_whole(found, exposures, options.force)
    least = METHODS[name].least_exposures
    if len(exposures) < least:
        raise ValueError(
            f"{found.name}: method {name} needs {least} exposures of a field, there is "
            f"{len(exposures)}; see difftem docs frames"
        )
    return exposures


def _no_bar(wanted: bool) -> bool:
    """Whether a progress bar is left out: nobody looks at a file or a pipe."""
    return not (wanted and sys.stderr.isatty())
