"""Simulated flat fields: what a detector makes of nothing but electrons."""

import math

import torch
from torch import Tensor

from difftem.data.crops import CropFacts, Crops, CropSet, check_positive
from difftem.functional.grid import frequency_grid, radius
from difftem.io.mtf_curve import mtf_by_name
from difftem.micrograph.box import Box
from difftem.micrograph.contrasts import contrasts
from difftem.modules.detector import Detector
from difftem.modules.poisson import PoissonLayer

MIN_SIZE = 16  # pixels; smaller crops have too few frequencies
MAX_PIXELS = 10**11  # 400 GB


class SyntheticFlatFields(Crops):
    r"""Crops of vacuum or ice through difftem's own Poisson layer and detector.

    .. math:: y = g\, h * C + \sigma n, \qquad
              C \sim \text{Poisson}\left(\text{dose} \cdot (1 + s)\right)

    with a band-limited Gaussian random field s of the given rms, the same in all exposures of a
    crop. Two exposures or more are combined into differences, as `RealCrops` does.

    Parameters
    ----------
    n : int
        Crops; of each, ``n_exposures - 1`` differences are made if there are several exposures.
    size : int
        Side in pixels.
    dose : float
        Electrons per pixel in one exposure.
    mtf : str
        Detector preset (e.g. ``k3_300kv``), RELION STAR file, or family (``ideal``,
        ``lorentzian``, ``rullgard``, ``gauss_lorentz_sinc``, ``log_spline``). The noise is
        filtered with it, whatever the preset's own noise: white noise tells nothing of an MTF.
    mtf_parameters : dict, optional
        Of the family, e.g. ``{a: 0.7, b: 0.2, c: 0.1, alpha: 10, beta: 40}``.
    gain : float
        Grey values per electron.
    read_noise : float
        Standard deviation of the readout in grey values.
    structure_rms : float
        Of s: 0.05 is typical of ice.
    structure_cutoff : float
        Frequency in cycles/pixel where the power of s has fallen to 1/e² of that at 0.
    n_exposures : int
        Exposures of each crop.
    differences : bool
        Combine several exposures into differences; otherwise each is a crop of its own.
    gain_known, read_noise_known : bool
        Let `facts` hold them: a fit that is told others is refused.
    margin : int
        Pixels that are simulated around a crop and cut away: 0 makes crops periodic, which real
        ones are not.
    seed : int
        Of all random numbers.
    batch_size : int, optional
        Crops in a batch. Default: all of them.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> from difftem.data.flat_field import SyntheticFlatFields
    >>> data = SyntheticFlatFields(n=4, size=64, dose=20.0, mtf="ideal")
    >>> images = next(iter(data.train_dataloader()))["images"]
    >>> tuple(images.shape), round((images.var() / images.mean()).item(), 1)  # counts: 1
    ((4, 64, 64), 1.0)
    """

    def __init__(
        self,
        n: int = 50,
        size: int = 256,
        dose: float = 20.0,
        mtf: str = "k3_300kv",
        mtf_parameters: dict[str, float | list[float]] | None = None,
        gain: float = 1.0,
        read_noise: float = 0.0,
        structure_rms: float = 0.0,
        structure_cutoff: float = 0.05,
        n_exposures: int = 1,
        differences: bool = True,
        gain_known: bool = True,
        read_noise_known: bool = True,
        margin: int = 0,
        seed: int = 0,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(batch_size)
        check_positive(n=n, size=size, dose=dose, gain=gain, n_exposures=n_exposures)
        check_positive(structure_cutoff=structure_cutoff)
        if size < MIN_SIZE:
            raise ValueError(f"size must be at least {MIN_SIZE} pixels, got {size}")
        if n * n_exposures * size**2 > MAX_PIXELS:
            raise ValueError(
                f"n, n_exposures and size² must make at most {MAX_PIXELS:.0e} pixels, got "
                f"{n} x {n_exposures} x {size} x {size}"
            )
        for name, value in (("read_noise", read_noise), ("structure_rms", structure_rms)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must not be negative, got {value}")
        if margin < 0:
            raise ValueError(f"margin must not be negative, got {margin} pixels")
        self.n, self.size, self.dose, self.margin, self.seed = n, size, dose, margin, seed
        self.structure_rms, self.structure_cutoff = structure_rms, structure_cutoff
        self.n_exposures, self.differences = n_exposures, differences and n_exposures > 1
        self.mtf = mtf_by_name(mtf, mtf_parameters)
        self.detector = Detector(self.mtf, gain=gain, read_noise=read_noise)
        self.known_gain = gain if gain_known else None
        self.known_read_noise = read_noise if read_noise_known else None

    def truth(
        self,
        frequency: Tensor,  # (...) cycles/pixel
    ) -> Tensor:  # (...)
        """Transfer function of the detector that made the crops."""
        with torch.no_grad():
            return self.mtf(frequency)

    @torch.no_grad()
    def make_crops(self) -> CropSet:
        """Simulate all exposures and combine them."""
        generator = torch.Generator().manual_seed(self.seed)
        # Crop by crop, so that the first ones do not depend on how many there are.
        exposures = torch.stack([self._exposures(generator) for _ in range(self.n)], 1)
        if self.differences:
            levels = torch.ones(self.n_exposures)
            images, means = contrasts(exposures, levels)
        else:
            images, means = exposures, exposures.double().mean((-2, -1))
        facts = CropFacts(
            gain=self.known_gain,
            read_noise=self.known_read_noise,
            pixel_size=None,
            n_exposures=self.n_exposures,
            differences=self.differences,
            boxes=tuple(Box(index, 0, 0, self.size) for index in range(self.n)),
            fields=tuple(f"simulated {index + 1}" for index in range(self.n)),
        )
        return CropSet(images.flatten(0, 1), means.flatten().float(), facts)

    def _exposures(self, generator: torch.Generator) -> Tensor:  # (e, y, x)
        """All exposures of one field."""
        side = self.size + 2 * self.margin
        rate = torch.full((side, side), float(self.dose))
        if self.structure_rms > 0:
            rate = rate * (1 + self._structure(side, generator)).clamp(min=0)
        counts = PoissonLayer()(rate.expand(self.n_exposures, -1, -1), generator)
        images = self.detector(counts, generator=generator)
        keep = slice(self.margin, self.margin + self.size)
        return images[:, keep, keep]

    def _structure(self, side: int, generator: torch.Generator) -> Tensor:  # (y, x)
        """Draw a random field of mean 0 and the given rms, low-pass filtered."""
        frequency = radius(frequency_grid((side, side), 1.0, half=True, dtype=torch.float32))
        spectrum = torch.fft.rfft2(torch.randn(side, side, generator=generator))
        spectrum = spectrum * torch.exp(-((frequency / self.structure_cutoff) ** 2))
        spectrum[0, 0] = 0
        structure = torch.fft.irfft2(spectrum, s=(side, side))
        return structure * (self.structure_rms / structure.std())
