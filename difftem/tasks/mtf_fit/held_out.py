"""Whether a fit holds for other crops."""

import torch

from difftem.losses.whittle import white_level, whittle_loss
from difftem.tasks.mtf_fit.collect import SpectrumSum
from difftem.tasks.mtf_fit.inference import whiteness
from difftem.tasks.mtf_fit.model import NoiseSpectrum


@torch.no_grad()
def held_out_metrics(
    model: NoiseSpectrum,
    collected: SpectrumSum,
    gain: float | None = None,
) -> dict[str, float]:
    """Likelihood and whiteness of crops that a model was not fitted to.

    Parameters
    ----------
    model : NoiseSpectrum
        Fitted.
    collected : SpectrumSum
        Of the other crops.
    gain : float, optional
        Grey values per electron: the other crops may have another dose, and s0 = gain x mean.

    Returns
    -------
    dict of str to float
        Negative log likelihood per ordinate, chi-square per degree of freedom, p-value.
    """
    spectrum = collected.measurement().spectrum
    shape = model.mtf(spectrum.frequency) ** 2
    s0 = model.s0 if gain is None else white_level(collected.mean(), gain).to(shape)
    power = s0 * shape + model.read_variance
    test = whiteness(spectrum, power)
    return {
        "test/loss": float(whittle_loss(spectrum, power)) / float(spectrum.ordinates.sum()),
        "test/chi_square_per_degree": test.total / test.degrees,
        "test/p_value": test.p_value,
    }
