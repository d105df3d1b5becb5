"""Maximum of Whittle's likelihood: L-BFGS from several starts, then Fisher scoring."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from difftem.analysis.fisher import jacobian, spectral_information
from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.analysis.ring_bins import bin_rings
from difftem.losses.whittle import whittle_loss
from difftem.tasks.mtf_fit.model import NoiseSpectrum, PlainParameters

_CHUNK = 20  # iterations between two reports
_MAX_CHUNKS = 2
_MAX_SCORING = 30
_RIDGE = 1e-2  # keeps logarithms that nothing depends on from running away
_BINS = 700  # for the searches; the last steps take all rings
_ENOUGH = 1e-2  # gain of log likelihood over a chunk below which L-BFGS has done its part
_NEAR = 1e-2  # gain of log likelihood of a scoring step below which a start has ended
_CONVERGED = 1e-5  # ... and the best of them
_SPREAD = 0.7  # of the starts, in logarithms


def lbfgs(model: nn.Module) -> torch.optim.LBFGS:
    """L-BFGS of the model's parameters, for losses of order 1 in float64."""
    return torch.optim.LBFGS(
        model.parameters(),
        max_iter=_CHUNK,
        max_eval=2 * _CHUNK,
        history_size=20,
        tolerance_grad=1e-10,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )


def set_levels(model: NoiseSpectrum, spectrum: RingSpectrum) -> None:
    """Start s0 and σ², where they are free, from the data and the curve as it is."""
    with torch.no_grad():
        share = 0.0
        if model.read_variance.requires_grad:
            high = spectrum.frequency >= 0.9 * spectrum.frequency[-1]
            weight = spectrum.ordinates[high]
            tail = (weight * spectrum.power[high]).sum() / weight.sum()
            model.read_variance = (0.3 * tail).clamp(min=1e-300)
            share = float(model.read_variance)
        if model.s0.requires_grad:
            shape = model.mtf(spectrum.frequency).double() ** 2 + 1e-6
            ratio = spectrum.power / shape
            level = (spectrum.ordinates * ratio).sum() / spectrum.ordinates.sum()
            floor = (spectrum.ordinates * share / shape).sum() / spectrum.ordinates.sum()
            model.s0 = torch.maximum(level - floor, 0.1 * level)


def minimise(
    model: NoiseSpectrum,
    spectrum: RingSpectrum,
    step: Callable[[Callable[[], Tensor]], Tensor],
    reset: Callable[[], None],
    n_starts: int = 4,
) -> Iterator[tuple[int, float]]:
    """Fit a model to a spectrum; at the end it holds the best of all starts.

    The first start is the model as it is, the others are spread around it by a fixed set of
    draws (factors of about 2 on what is positive), so that a fit can be repeated exactly.

    Parameters
    ----------
    model : NoiseSpectrum
        Is changed.
    spectrum : RingSpectrum
        What it is fitted to.
    step : callable
        Makes some iterations with a closure: ``step`` of `lbfgs`.
    reset : callable
        Forgets the curvature that ``step`` has gathered.
    n_starts : int
        Searches.

    Yields
    ------
    tuple of int and float
        The start, and the negative log likelihood, after every 20 iterations and at its end.

    Notes
    -----
    L-BFGS comes near from anywhere; the exponents and widths of a family can be so correlated
    that it then creeps. Fisher scoring with Levenberg's damping goes the rest in a few steps.
    """
    parameters = list(model.parameters())
    total = float(spectrum.ordinates.sum())
    full = spectrum
    if len(full.frequency) > 2 * _BINS:
        spectrum = bin_rings(full, _BINS)

    def loss() -> Tensor:
        return whittle_loss(spectrum, model(spectrum.frequency)) / total

    def closure() -> Tensor:
        for parameter in parameters:
            parameter.grad = None
        value = loss()
        value.backward()
        return value

    set_levels(model, spectrum)
    origin = parameters_to_vector(parameters).detach().clone()
    best, best_state = torch.inf, origin
    for start in range(n_starts if parameters else 1):
        vector_to_parameters(_start(origin, start), parameters)
        if start:
            set_levels(model, spectrum)
        reset()
        previous = torch.inf
        for _ in range(_MAX_CHUNKS):
            step(closure)
            with torch.no_grad():
                value = float(loss()) * total
            yield start, value
            if not previous - value > _ENOUGH:
                break
            previous = value
        if parameters:
            value = _score(model, spectrum, _NEAR)
            yield start, value
        if value < best and _is_finite(model, full):
            best, best_state = value, parameters_to_vector(parameters).detach().clone()
    vector_to_parameters(best_state, parameters)
    if parameters:
        value = _score(model, full, _CONVERGED)
        if not _is_finite(model, full):
            vector_to_parameters(best_state, parameters)
        yield start, value


def _is_finite(model: NoiseSpectrum, spectrum: RingSpectrum) -> bool:
    """Tell whether parameters and spectrum are numbers: an exponent may have run away."""
    plain = PlainParameters(model).values
    with torch.no_grad():
        power = model(spectrum.frequency)
    return bool(torch.isfinite(plain).all() and torch.isfinite(power).all())


def _start(origin: Tensor, number: int) -> Tensor:
    """Offset a vector of logarithms and plain values by a draw that depends on the number."""
    if number == 0:
        return origin
    generator = torch.Generator().manual_seed(number)
    draw = torch.randn(len(origin), generator=generator, dtype=torch.float64)
    return origin + _SPREAD * draw.to(origin)


def _score(model: NoiseSpectrum, spectrum: RingSpectrum, enough: float) -> float:
    """Climb to the top by damped Fisher scoring; return the negative log likelihood there."""
    names = [name for name, _ in model.named_parameters()]
    shapes = [p.shape for p in model.parameters()]
    sizes = [p.numel() for p in model.parameters()]

    def log_model(vector: Tensor) -> Tensor:
        parts = vector.split(sizes)
        state = {n: v.view(s) for n, v, s in zip(names, parts, shapes, strict=True)}
        return torch.log(functional_call(model, state, (spectrum.frequency,)))

    def loss(logarithm: Tensor) -> float:
        residual = logarithm + spectrum.power * torch.exp(-logarithm)
        return float((spectrum.ordinates * residual).sum())

    with torch.no_grad():
        vector = parameters_to_vector(model.parameters()).detach().clone()
        here = log_model(vector)
        value, damping = loss(here), 1e-3
        for _ in range(_MAX_SCORING):
            derivatives = jacobian(log_model, vector)
            slope = spectrum.ordinates * (1 - spectrum.power * torch.exp(-here))
            gradient = derivatives.T @ slope
            information = spectral_information(derivatives, spectrum.ordinates)
            gain = 0.0
            while damping < 1e8:
                diagonal = torch.diagonal(information) * damping + _RIDGE
                move = torch.linalg.solve(information + torch.diag(diagonal), gradient)
                there = log_model(vector - move)
                if (gain := value - loss(there)) > 0:
                    vector, here, value = vector - move, there, value - gain
                    damping *= 0.1
                    break
                damping *= 10.0
            if not gain > enough:
                break
        vector_to_parameters(vector, model.parameters())
    return value
