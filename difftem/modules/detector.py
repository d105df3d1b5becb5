"""Detector: from electron counts to grey values."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.detector import add_read_noise, detected_rate
from difftem.functional.mtf import apply_transfer
from difftem.modules.mtf import MTF, IdealMTF
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.modules.quantity import (
    Positive,
    UnitInterval,
    check_learnable,
    is_active,
    register_quantity,
)


class Detector(nn.Module):
    r"""Lose, blur, amplify, read out.

    .. math:: y = g \left[h_n * C + (h_s - h_n) * \lambda'\right] + \text{dark} + \sigma n,
              \qquad \lambda' = \mathrm{DQE}(0)\, \lambda

    with counts :math:`C \sim \text{Poisson}(\lambda')`, the signal's point spread :math:`h_s`
    (MTF) and the noise's :math:`h_n` (NTF). They are the same where every electron leaves the
    same spot; then :math:`y = g\, h * C`. A camera that counts puts each electron into one pixel,
    which need not be the one it arrived in: with an `IdealMTF` as NTF the counts are whole
    numbers, :math:`y = g\, C` with :math:`C \sim \text{Poisson}(h_s * \lambda')`, and their noise
    is white.

    Parameters
    ----------
    mtf : MTF, optional
        Of the signal. Default: no blur.
    ntf : MTF, optional
        Of the noise: `IdealMTF` for one count in one pixel. Default: the MTF.
    gain : float or Tensor
        Grey values per electron.
    dqe0 : float or Tensor
        DQE at zero frequency in (0, 1]: the fraction of the electrons that is counted.
    read_noise : float or Tensor
        Standard deviation of the readout in grey values.
    dark : float or Tensor
        Grey value without electrons.
    learnable : collection of str
        Any of ``gain``, ``dqe0``, ``read_noise``, ``dark``.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234, section 2; McMullan et al.,
    Ultramicroscopy 109 (2009) 1126, for the difference between MTF and NTF; McMullan et al.,
    Ultramicroscopy 109 (2009) 1411, for the white noise of counted electrons.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Detector
    >>> camera = Detector.from_preset("k3_300kv")
    >>> electrons = torch.full((1, 64, 64), 10.0)  # expected in a pixel
    >>> grey_values = camera.expected(electrons)
    >>> tuple(grey_values.shape), round((grey_values.mean() / camera.dqe0 / camera.gain).item(), 3)
    ((1, 64, 64), 10.0)
    """

    gain: Tensor
    dqe0: Tensor
    read_noise: Tensor
    dark: Tensor

    def __init__(
        self,
        mtf: MTF | None = None,
        ntf: MTF | None = None,
        gain: float | Tensor = 1.0,
        dqe0: float | Tensor = 1.0,
        read_noise: float | Tensor = 0.0,
        dark: float | Tensor = 0.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("gain", "dqe0", "read_noise", "dark"))
        self.mtf = mtf if mtf is not None else IdealMTF()
        self.ntf = ntf
        register_quantity(self, "gain", gain, learnable, Positive())
        register_quantity(self, "dqe0", dqe0, learnable, UnitInterval())
        register_quantity(self, "read_noise", read_noise, learnable, Positive())
        register_quantity(self, "dark", dark, learnable)

    @classmethod
    def from_preset(cls, name: str, learnable: Collection[str] = ()) -> "Detector":
        """Detector of `difftem.presets`, e.g. ``k3_300kv``."""
        from difftem.presets import detector_preset

        preset = detector_preset(name)
        return cls(
            mtf=mtf_from_preset(preset),
            ntf=IdealMTF() if preset["ntf"] == "ideal" else None,
            gain=float(preset["gain"]),
            dqe0=float(preset["dqe"]),
            read_noise=float(preset["read_noise"]),
            learnable=learnable,
        )

    @property
    def counts_in_one_pixel(self) -> bool:
        """Whether each electron is one count in one pixel, so that the noise is white."""
        return isinstance(self.ntf, IdealMTF)

    def rate(
        self,
        expected_counts: Tensor,  # (..., y, x) e/pixel
    ) -> Tensor:  # (..., y, x) e/pixel
        """Rate of the electrons that are counted, in the pixel where they are counted."""
        rate = detected_rate(expected_counts, self.dqe0.to(expected_counts))
        if not self.counts_in_one_pixel:
            return rate
        # A curve that ends sharply at Nyquist rings: no rate is negative.
        return apply_transfer(rate, self._transfer(self.mtf, rate)).clamp(min=0.0)

    def expected(
        self,
        expected_counts: Tensor,  # (..., y, x) e/pixel
    ) -> Tensor:  # (..., y, x) grey values
        """Noise-free micrograph."""
        blurred = self.rate(expected_counts)
        if not self.counts_in_one_pixel:
            blurred = apply_transfer(blurred, self._transfer(self.mtf, blurred))
        return self.gain.to(blurred) * blurred + self.dark.to(blurred)

    def forward(
        self,
        counts: Tensor,  # (..., y, x) counts
        expected_counts: Tensor | None = None,  # (..., y, x) e/pixel
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (..., y, x) grey values
        """Micrograph of counted electrons.

        Parameters
        ----------
        counts : Tensor
            Poisson counts of `rate`.
        expected_counts : Tensor, optional
            What they were drawn from before the losses; needed for an NTF that is neither the
            MTF nor ideal.
        generator : torch.Generator, optional
            Source of the readout noise.

        Returns
        -------
        Tensor
            Grey values.

        Raises
        ------
        ValueError
            If such an NTF is set and `expected_counts` is missing.
        """
        if self.counts_in_one_pixel:
            blurred = counts
        elif self.ntf is None:
            blurred = apply_transfer(counts, self._transfer(self.mtf, counts))
        else:
            if expected_counts is None:
                raise ValueError("a detector with its own NTF needs the expected counts")
            signal, noise = (self._transfer(curve, counts) for curve in (self.mtf, self.ntf))
            blurred = apply_transfer(counts, noise)
            blurred = blurred + apply_transfer(self.rate(expected_counts), signal - noise)
        micrograph = self.gain.to(blurred) * blurred + self.dark.to(blurred)
        if is_active(self, "read_noise"):
            micrograph = add_read_noise(micrograph, self.read_noise.to(blurred), generator)
        return micrograph

    @staticmethod
    def _transfer(curve: MTF, image: Tensor) -> Tensor:
        return curve.transfer((image.shape[-2], image.shape[-1]), image)
