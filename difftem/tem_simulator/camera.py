"""A detector component: from the intensity in the wave's field to its images."""

from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.box_average import box_average
from difftem.functional.dose import expected_counts
from difftem.functional.grid import crop_center
from difftem.functional.inverse_gaussian import sample_inverse_gaussian
from difftem.modules import Detector, RullgardMTF
from difftem.tem_simulator.files import microscope


class Exposed(NamedTuple):
    """One image of a camera."""

    noise_free: Tensor  # (y, x) grey values
    image: Tensor  # (y, x) grey values
    mean_counts: float  # e/pixel


class Camera:
    """Camera of one detector component.

    Parameters
    ----------
    component : microscope.DetectorInput
        Size, noise and transfer.
    pixel_size : float
        At the specimen, in Å.
    """

    def __init__(self, component: microscope.DetectorInput, pixel_size: float) -> None:
        curve = RullgardMTF(
            component.mtf_a,
            component.mtf_b,
            component.mtf_c,
            component.mtf_alpha,
            component.mtf_beta,
            component.mtf_p,
            component.mtf_q,
        )
        self.component = component
        self.pixel_size = pixel_size
        self.shape = (component.det_pix_y, component.det_pix_x)
        self.detector = Detector(curve, gain=component.gain)

    def expose(
        self,
        intensity: Tensor,  # (y, x)
        field_pixel: float,  # Å
        dose: Tensor,  # () e/Å²
        generator: torch.Generator,
    ) -> Exposed:
        """Take one image.

        Counts are drawn and blurred in a larger image of which the padding is then cut off.

        Parameters
        ----------
        intensity : Tensor
            In the field, relative to the beam.
        field_pixel : float
            In Å.
        dose : Tensor
            In e/Å².
        generator : torch.Generator
            Source of noise.

        Returns
        -------
        Exposed
            The image, and what it would be without noise.
        """
        padding = 2 * self.component.padding
        padded = (self.shape[0] + padding, self.shape[1] + padding)
        seen = box_average(intensity, field_pixel, padded, self.pixel_size).clamp(min=0)
        expected = expected_counts(seen, dose.to(seen), self.pixel_size)
        noise_free = crop_center(self.detector.expected(expected), self.shape)
        image = noise_free
        if self.component.use_quantization:
            counts = torch.poisson(expected, generator=generator)
            dqe = 1.0 if self.component.dqe is None else self.component.dqe
            signal = sample_inverse_gaussian(counts, (1 / dqe - 1) * counts, generator)
            image = crop_center(self.detector(signal), self.shape)
        return Exposed(noise_free, image, float(crop_center(expected, self.shape).mean()))
