"""What a reconstruction is worth: agreement with the truth, noise of empty ice, contrast."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool3d

from difftem.functional.fourier_shell import ShellCorrelation, crossing, shell_correlation
from difftem.tomography.wedge import wedge_mask
from experiments.tomography.scene import TrueSeries
from experiments.tomography.stacks import strip

_MATTER = 0.15  # of the largest density, averaged over _SMOOTH voxels
_TRACE = 0.02
_SMOOTH = 5
_CLEAR = 50.0  # Å from matter to empty ice
_AROUND = 120.0  # Å: local background lies so near to a particle
FSC_AT = (0.5, 0.143)


@dataclass(frozen=True, eq=False)
class Truth:
    """What reconstructions of a series are held against.

    Attributes
    ----------
    seen : Tensor
        True potential without the missing wedge, faded out at the borders, ``(z, y, x)``.
    window : Tensor
        That fades, ``(z, y, x)``.
    wedge : Tensor
        Frequencies that were sampled, ``(z, y, x // 2 + 1)``.
    matter, empty : Tensor
        Where there are particles, and where there is ice far from any; ``(z, y, x)``.
    """

    seen: Tensor
    window: Tensor
    wedge: Tensor
    matter: Tensor
    empty: Tensor


def truth_of(series: TrueSeries, ice: float, width: int, rows: int | None = None) -> Truth:
    """Prepare the truth of a series.

    Parameters
    ----------
    series : TrueSeries
        With its volume.
    ice : float
        Thickness in Å: empty ice is looked for within.
    width : int
        Voxels over which volumes fade out at their borders.
    rows : int, optional
        Only so many across the axis, in the middle.
    """
    volume = strip(series.truth, rows)
    shape = (volume.shape[0], volume.shape[1], volume.shape[2])
    window = fading(shape, width)
    wedge = wedge_mask(shape, series.tilts_deg)
    smooth = torch.nn.functional.avg_pool3d(volume[None], _SMOOTH, 1, _SMOOTH // 2)[0]
    matter = smooth > _MATTER * smooth.max()
    reach = round(_CLEAR / series.pixel_size)
    near = (smooth.abs() > _TRACE * smooth.max()).float()[None]
    for axis in range(3):  # one after the other: a cube takes as long as its volume
        size, pad = [1, 1, 1], [0, 0, 0]
        size[axis], pad[axis] = 2 * reach + 1, reach
        near = max_pool3d(near, size, 1, pad)
    z = (torch.arange(shape[0]) - shape[0] // 2).abs() * series.pixel_size
    inside = (z < ice / 2)[:, None, None] & (window == 1)
    seen = _filtered((volume - volume.mean()) * window, wedge)
    return Truth(seen, window, wedge, matter & (window == 1), (near[0] == 0) & inside)


def fading(shape: tuple[int, int, int], width: int) -> Tensor:  # (z, y, x)
    """1 inside, a raised cosine over `width` voxels at the borders of y and x, half of it at z."""
    window = torch.ones(())
    for n, edge in zip(shape, (width // 2, width, width), strict=True):
        distance = torch.minimum(torch.arange(n), n - 1 - torch.arange(n)).double()
        along = 0.5 - 0.5 * torch.cos(torch.pi * ((distance + 0.5) / edge).clamp_max(1))
        window = window[..., None] * along.float()
    return window


def correlation(volume: Tensor, truth: Truth, series: TrueSeries) -> ShellCorrelation:
    """Fourier shell correlation with the truth over the frequencies that tilts have seen."""
    return shell_correlation(_faded(volume, truth), truth.seen, series.pixel_size, truth.wedge)


def mean_correlation(curve: ShellCorrelation, series: TrueSeries) -> float:
    """Mean up to the first zero of the microscope: settings are chosen by it."""
    return float(curve.correlation[curve.frequency < series.first_zero].mean())


def scores(volume: Tensor, truth: Truth, series: TrueSeries, radius: float) -> dict[str, float]:
    """Score a reconstruction.

    Parameters
    ----------
    volume : Tensor
        ``(z, y, x)``.
    truth : Truth
        Of the whole series.
    series : TrueSeries
        With the particles.
    radius : float
        Å, of the middle of a particle that its contrast is taken from.

    Returns
    -------
    dict
        Å of both crossings of the FSC, its mean to Nyquist, background over signal, contrast of
        particles over background.
    """
    found = _faded(volume, truth)
    curve = correlation(volume, truth, series)
    crossed = {f"fsc_{at:g}": crossing(curve.frequency, curve.correlation, at) for at in FSC_AT}
    scale = (found * truth.seen).sum() / truth.seen.square().sum()
    signal = float(scale * truth.seen[truth.matter].std())
    noise = float(found[truth.empty].std())
    return {
        **{name: 1 / q if q > 0 else float("inf") for name, q in crossed.items()},
        "fsc_mean": mean_correlation(curve, series),
        "background": noise / signal,
        "contrast": _particle_contrast(volume, truth, series, radius) / noise,
    }


def _particle_contrast(volume: Tensor, truth: Truth, series: TrueSeries, radius: float) -> float:
    """Mean density of particles' middles above that of the empty ice around each of them."""
    grids = [
        (torch.arange(n) - n // 2).double() * series.pixel_size for n in reversed(volume.shape)
    ]
    found = []
    for place in series.particles.positions:
        parts = []
        for grid, at in zip(grids, place, strict=True):
            index = ((grid - at).abs() < radius + _AROUND).nonzero().flatten()
            parts.append(slice(int(index[0]), int(index[-1]) + 1))
        x, y, z = (grid[part] - at for grid, part, at in zip(grids, parts, place, strict=True))
        distance = (z[:, None, None] ** 2 + y[:, None] ** 2 + x**2).sqrt()
        box = (parts[2], parts[1], parts[0])
        ice = truth.empty[box] & (distance < radius + _AROUND)
        if bool(ice.any()):
            values = volume[box]
            found.append(float(values[distance < radius].mean() - values[ice].mean()))
    return sum(found) / len(found) if found else float("nan")


def _faded(volume: Tensor, truth: Truth) -> Tensor:
    """Without its mean and what no tilt has seen, faded out at the borders."""
    return _filtered((volume - volume.mean()) * truth.window, truth.wedge)


def _filtered(volume: Tensor, wedge: Tensor) -> Tensor:
    return torch.fft.irfftn(torch.fft.rfftn(volume) * wedge, s=volume.shape)
