"""What a fit of an MTF tells."""

from dataclasses import dataclass

from torch import Tensor

from difftem.analysis.noise_spectrum import RingSpectrum


@dataclass(frozen=True)
class Whiteness:
    """Measured over fitted power in bins of about equal numbers of ordinates.

    Parameters
    ----------
    frequency, ratio, sigma : Tensor
        Of each bin: cycles/pixel, measured / fitted power, standard deviation of the ratio.
    total : float
        Sum of the bins' deviances, each chi-square distributed with about 1 degree of freedom.
    degrees : int
        Bins less fitted directions.
    p_value : float
        Chance of a total at least as large if the model is true.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import fit_spectrum, measure, mtf_family
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> test = fit_spectrum(measured, mtf_family("even_spline_5"), s0=s0, n_starts=1).whiteness
    >>> test.p_value > 0.01  # nothing against the model
    True
    """

    frequency: Tensor
    ratio: Tensor
    sigma: Tensor
    total: float
    degrees: int
    p_value: float


@dataclass(frozen=True)
class MTFFitResult:
    """Curve, parameters and tests of a fit; tensors are float64 on the CPU.

    Parameters
    ----------
    family, loss : str
        What was fitted and by which loss.
    frequency : Tensor
        0 to 0.5 cycles/pixel, 101 points.
    curve : Tensor
        H there.
    curve_covariance : Tensor
        From the observed information, by the delta method, shape ``(101, 101)``; of a family that
        was chosen among several, with what they differ by, and where low frequencies were left
        out, with what cameras do there. NaN of a loss that is no likelihood: it has no band.
    cramer_rao : Tensor
        Smallest possible covariance of an unbiased curve if the fit is the truth, shape
        ``(101, 101)``.
    names : tuple of str
        Learnable parameters, in the order of `values` and `covariance`; ``s0`` and
        ``read_variance`` among them where they are free.
    values, standard_errors : Tensor
        In the units of the modules; infinite errors where the data do not determine a
        parameter.
    covariance : Tensor
        Of the values; zero along directions that are not determined.
    s0, s0_error : float
        Noise power at zero frequency, grey values²; error 0 if it was known.
    read_noise, read_noise_error : float
        σ in grey values; error 0 if it was given.
    log_likelihood, aic : float
        Whittle's, without terms that hold no model; comparable between fits of one spectrum.
    n_parameters : int
        Determined directions; AIC = 2k - 2 ln L counts all k that could be used.
    spectrum : RingSpectrum
        What was fitted.
    model : Tensor
        Fitted power in its rings.
    whiteness : Whiteness
        Test of the model.
    n_crops : int
        Crops averaged.
    excluded : int
        Frequencies of the half grid left out as outliers.
    warnings : tuple of str
        Doubts, each one sentence.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import fit_spectrum, measure, mtf_family
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> result = fit_spectrum(measured, mtf_family("even_spline_5"), s0=s0, n_starts=1)
    >>> result.has_band, len(result.frequency)
    (True, 101)
    """

    family: str
    loss: str
    frequency: Tensor
    curve: Tensor
    curve_covariance: Tensor
    cramer_rao: Tensor
    names: tuple[str, ...]
    values: Tensor
    standard_errors: Tensor
    covariance: Tensor
    s0: float
    s0_error: float
    read_noise: float
    read_noise_error: float
    log_likelihood: float
    aic: float
    n_parameters: int
    spectrum: RingSpectrum
    model: Tensor
    whiteness: Whiteness
    n_crops: int
    excluded: int
    warnings: tuple[str, ...]

    @property
    def has_band(self) -> bool:
        """Whether there are errors at all: the loss is a likelihood."""
        return not bool(self.curve_covariance.isnan().any())

    @property
    def standard_error(self) -> Tensor:  # (101,)
        """Standard error of each point of the curve."""
        return self.curve_covariance.diagonal().clamp(min=0.0).sqrt()

    @property
    def cramer_rao_error(self) -> Tensor:  # (101,)
        """Cramér-Rao bound of the standard error of each point of the curve."""
        return self.cramer_rao.diagonal().clamp(min=0.0).sqrt()

    def band(
        self,
        sigmas: float = 1.959964,
    ) -> tuple[Tensor, Tensor]:  # (101,), (101,)
        """Lower and upper end of the pointwise band, 95 % unless told; not clipped."""
        return self.curve - sigmas * self.standard_error, self.curve + sigmas * self.standard_error
