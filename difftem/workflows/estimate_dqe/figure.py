"""A picture of a DQE: transfer of signal and noise, noise power, DQE."""

from typing import Any

from difftem.tasks.mtf_fit import MTFFitResult
from difftem.workflows.estimate_dqe.measured import SIGMAS, MeasuredDQE


def draw_dqe(curves: MeasuredDQE, noise: MTFFitResult, kind: str) -> Any:
    """Draw three panels with 95 % bands.

    Parameters
    ----------
    curves : MeasuredDQE
        To draw.
    noise : MTFFitResult
        Fit of the noise.
    kind : str
        ``DQE`` or ``DQE/DQE(0)``.

    Returns
    -------
    Figure
        Of matplotlib, not registered with pyplot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    q = curves.frequency.numpy()
    mtf, error = curves.mtf.numpy(), SIGMAS * curves.mtf_error.nan_to_num(0.0).numpy()
    left.fill_between(q, mtf - error, mtf + error, alpha=0.3)
    left.plot(q, mtf, label="MTF (signal, knife edge)")
    left.plot(q, curves.ntf.numpy(), ".", label="NTF (noise, flat fields)")
    fitted = f"NTF, fit ({noise.family})"
    left.plot(noise.frequency.numpy(), noise.curve.numpy(), lw=0.8, label=fitted)
    left.set(ylabel="transfer", title="transfer of signal and noise")
    left.set_ylim(bottom=0)
    left.legend(fontsize=9)
    middle.errorbar(
        q, curves.nnps.numpy(), (curves.nnps * curves.nps_error / curves.nps).numpy(), fmt=".", lw=1
    )
    middle.set(ylabel="NNPS (pixels)", title="noise power over squared mean")
    middle.set_ylim(bottom=0)
    lower, upper = (end.nan_to_num(0.0).numpy() for end in curves.band())
    right.fill_between(q, lower, upper, alpha=0.3, label="95 % band")
    right.plot(q, curves.dqe.numpy(), label=kind)
    right.set(ylabel=kind, title="detective quantum efficiency")
    right.set_ylim(bottom=0)
    right.legend(fontsize=9)
    for axes in (left, middle, right):
        axes.set_xlabel("frequency (cycles/pixel)")
        axes.set_xlim(0, 0.5)
        axes.grid(alpha=0.3)
    return figure
