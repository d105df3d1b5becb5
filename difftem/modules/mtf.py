"""Modulation transfer functions as modules: each is 1 at DC by construction."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from difftem.functional import mtf
from difftem.functional.grid import frequency_grid, radius
from difftem.modules.quantity import Positive, UnitInterval, check_learnable, register_quantity


class MTF(nn.Module, ABC):
    """A curve H over frequency with H(0) = 1; subclasses are the families.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import LorentzianMTF
    >>> mtf = LorentzianMTF(learnable=["a", "b", "c", "alpha", "beta"])
    >>> tuple(mtf(torch.tensor([0.0, 0.25, 0.5])).shape)  # cycles/pixel; Nyquist is 0.5
    (3,)
    """

    names: tuple[str, ...] = ()

    @abstractmethod
    def forward(
        self,
        frequency: Tensor,  # (...) cycles/pixel
    ) -> Tensor:  # (...)
        """Evaluate the curve at frequencies in cycles/pixel (Nyquist 0.5)."""

    def transfer(
        self,
        shape: tuple[int, int],
        like: Tensor,
    ) -> Tensor:  # (ny, nx // 2 + 1)
        """Curve on the half FFT grid of an image, in the dtype and on the device of `like`."""
        qy, qx = frequency_grid(shape, 1.0, half=True, device=like.device, dtype=like.dtype)
        row = torch.arange(shape[0], device=like.device)
        quadrant = self(radius((qy[: shape[0] // 2 + 1].abs(), qx))).to(like.dtype)
        return quadrant.index_select(-2, torch.minimum(row, shape[0] - row))

    def _register(
        self, values: dict[str, tuple[float, nn.Module | None]], learnable: Collection[str]
    ) -> None:
        check_learnable(learnable, self.names)
        for name, (value, constraint) in values.items():
            register_quantity(self, name, value, learnable, constraint)

    def _quantities(self, like: Tensor) -> list[Tensor]:
        return [getattr(self, name).to(like) for name in self.names]


class IdealMTF(MTF):
    """A detector without blur: H = 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import IdealMTF
    >>> IdealMTF()(torch.tensor([0.0, 0.5]))
    tensor([1., 1.])
    """

    def forward(self, frequency: Tensor) -> Tensor:
        """One everywhere."""
        return torch.ones_like(frequency)


class LorentzianMTF(MTF):
    """Two Lorentzians and a constant (the DiffTEM paper's model); only ratios of weights count.

    Parameters
    ----------
    a, b, c : float
        Weights of the Lorentzians and of the constant.
    alpha, beta : float
        Widths in pixel².
    signed : bool
        Let learnable weights change sign, which modern cameras need; otherwise they stay >= 0.
    learnable : collection of str
        Any of the names. Leave one weight out: it sets the scale of the others.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import LorentzianMTF
    >>> round(LorentzianMTF(a=0.7, b=0.2, c=0.1)(torch.tensor(0.5)).item(), 3)  # at Nyquist
    0.318
    """

    names = ("a", "b", "c", "alpha", "beta")

    def __init__(
        self,
        a: float = 0.7,
        b: float = 0.2,
        c: float = 0.1,
        alpha: float = 10.0,
        beta: float = 40.0,
        *,
        signed: bool = False,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        weight = None if signed else Positive()
        values = dict(zip("abc", ((w, weight) for w in (a, b, c)), strict=True))
        self._register(
            {**values, "alpha": (alpha, Positive()), "beta": (beta, Positive())}, learnable
        )

    def forward(self, frequency: Tensor) -> Tensor:
        """Evaluate `difftem.functional.mtf.lorentzians`."""
        return mtf.lorentzians(frequency, *self._quantities(frequency))


class RullgardMTF(MTF):
    """Two generalised Lorentzians with exponents, TEM-simulator's full model.

    Parameters
    ----------
    a, b, c : float
        Weights >= 0.
    alpha, beta : float
        Widths in pixel².
    p, q : float
        Exponents.
    learnable : collection of str
        Any of the names.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import RullgardMTF
    >>> round(RullgardMTF(a=0.7, b=0.2, c=0.1, alpha=10.0, beta=40.0)(torch.tensor(0.5)).item(), 3)
    0.318
    """

    names = ("a", "b", "c", "alpha", "beta", "p", "q")

    def __init__(
        self,
        a: float = 0.7,
        b: float = 0.2,
        c: float = 0.1,
        alpha: float = 10.0,
        beta: float = 40.0,
        p: float = 1.0,
        q: float = 1.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        values = zip(self.names, (a, b, c, alpha, beta, p, q), strict=True)
        self._register({name: (value, Positive()) for name, value in values}, learnable)

    def forward(self, frequency: Tensor) -> Tensor:
        """Evaluate `difftem.functional.mtf.rullgard`."""
        return mtf.rullgard(frequency, *self._quantities(frequency))


class GaussLorentzSincMTF(MTF):
    """Gaussian plus Lorentzian spread through a square pixel.

    Parameters
    ----------
    weight : float
        Of the Gaussian, in [0, 1].
    width : float
        Of the Gaussian in cycles/pixel.
    alpha : float
        Of the Lorentzian in pixel².
    learnable : collection of str
        Any of the names.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import GaussLorentzSincMTF
    >>> round(GaussLorentzSincMTF(weight=0.5, width=0.5, alpha=4.0)(torch.tensor(0.5)).item(), 3)
    0.352
    """

    names = ("weight", "width", "alpha")

    def __init__(
        self,
        weight: float = 0.5,
        width: float = 0.5,
        alpha: float = 4.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._register(
            {
                "weight": (weight, UnitInterval()),
                "width": (width, Positive()),
                "alpha": (alpha, Positive()),
            },
            learnable,
        )

    def forward(self, frequency: Tensor) -> Tensor:
        """Evaluate `difftem.functional.mtf.gauss_lorentz_sinc`."""
        return mtf.gauss_lorentz_sinc(frequency, *self._quantities(frequency))


class LogSplineMTF(MTF):
    """Natural cubic spline of ln H on equidistant knots from 0 to `max_frequency`.

    Parameters
    ----------
    log_values : sequence of float
        ln H at the knots after the first, where it is 0.
    max_frequency : float
        Last knot in cycles/pixel.
    even : bool
        Make it a spline of the squared frequency, with knots equidistant in that: ln H starts as
        a parabola, as behind every spread function with a width, and its first knot is so far
        from zero that data without low frequencies determine it.
    learnable : collection of str
        ``log_values``.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import LogSplineMTF
    >>> mtf = LogSplineMTF([-0.2, -0.7])  # ln H at 0.25 and 0.5 cycles/pixel
    >>> [round(value, 3) for value in mtf(torch.tensor([0.0, 0.25, 0.5])).tolist()]
    [1.0, 0.819, 0.497]
    """

    names = ("log_values",)
    log_values: Tensor

    def __init__(
        self,
        log_values: Sequence[float] | Tensor,
        max_frequency: float = 0.5,
        learnable: Collection[str] = (),
        *,
        even: bool = False,
    ) -> None:
        super().__init__()
        check_learnable(learnable, self.names)
        register_quantity(self, "log_values", torch.as_tensor(log_values), learnable)
        self.max_frequency = max_frequency
        self.even = even

    def forward(self, frequency: Tensor) -> Tensor:
        """Evaluate `difftem.functional.mtf.log_spline`."""
        values = self.log_values.to(frequency)
        if self.even:
            return mtf.log_spline(frequency**2, values, self.max_frequency**2)
        return mtf.log_spline(frequency, values, self.max_frequency)


class TabulatedMTF(MTF):
    """Measured curve, interpolated linearly.

    Parameters
    ----------
    frequency : sequence of float
        Increasing, in cycles/pixel, starting at 0.
    curve : sequence of float
        MTF there; divided by its first value.
    learnable : collection of str
        ``curve``.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import TabulatedMTF
    >>> mtf = TabulatedMTF(frequency=[0.0, 0.25, 0.5], curve=[1.0, 0.8, 0.5])
    >>> [round(value, 3) for value in mtf(torch.tensor([0.125, 0.5])).tolist()]
    [0.9, 0.5]
    """

    names = ("curve",)  # "values" is taken: a parametrised module keeps a dictionary
    knots: Tensor
    curve: Tensor

    def __init__(
        self,
        frequency: Sequence[float] | Tensor,
        curve: Sequence[float] | Tensor,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, self.names)
        self.register_buffer("knots", torch.as_tensor(frequency))
        register_quantity(self, "curve", torch.as_tensor(curve), learnable, Positive())

    def forward(self, frequency: Tensor) -> Tensor:
        """Evaluate `difftem.functional.mtf.tabulated`."""
        return mtf.tabulated(frequency, self.knots, self.curve.to(frequency))
