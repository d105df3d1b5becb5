"""Error without a truth, with an error bar, as torchmetrics."""

import math

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.functional.unsupervised_error import block_means, unsupervised_error_map

_DB = 10 / math.log(10)


class UnsupervisedError(Metric):
    """uMSE and uPSNR of estimates, from copies with independent noise that they have not seen.

    `compute` returns ``umse``, ``umse_error`` (standard error, from the scatter of blocks),
    ``unmse`` and ``unmse_error`` (over the uMSE of the mean image, which is the variance of the
    signal), ``upsnr`` and ``upsnr_error`` in dB. Where the uMSE is not positive the uPSNR is NaN:
    the data do not tell the error from 0.

    Parameters
    ----------
    block : int
        Side of a block in pixels, larger than details and than what a method adds up; rows and
        columns that fill no block are left out.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.unsupervised_error import UnsupervisedError
    >>> copies = 3 + torch.randn(4, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> metric = UnsupervisedError(block=32)
    >>> metric.update(torch.full((128, 128), 5.0), copies)  # the truth is 3
    >>> found = metric.compute()
    >>> round(found["umse"].item()), found["umse_error"].item() < 0.1
    (4, True)
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    errors: list[Tensor]
    powers: list[Tensor]
    peaks: list[Tensor]

    def __init__(self, block: int = 128) -> None:
        super().__init__()
        self._block = block
        for name in ("errors", "powers", "peaks"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(
        self,
        estimate: Tensor,  # (y, x)
        copies: Tensor,  # (n, y, x)
        peak: float = 1.0,
        of_signal: Tensor | None = None,  # (k, y, x)
    ) -> None:
        """Add an image.

        Parameters
        ----------
        estimate : Tensor
            Shape ``(y, x)``.
        copies : Tensor
            Two or more images of the same signal in the units of `estimate`, shape ``(n, y, x)``.
        peak : float
            Of the uPSNR: of whitened values the square root of the electrons per pixel makes the
            mean brightness the peak. One for all images.
        of_signal : Tensor, optional
            Copies made of all of the data, for the power of the signal; default: `copies`.
        """
        known = copies if of_signal is None else of_signal
        mean = known.double().mean().expand_as(estimate)
        error = block_means(unsupervised_error_map(estimate, copies, known), self._block)
        self.errors.append(error)
        self.powers.append(block_means(unsupervised_error_map(mean, known), self._block))
        self.peaks.append(error.new_tensor([peak]))

    def compute(self) -> dict[str, Tensor]:
        """Mean over all blocks."""
        errors, powers = _joined(self.errors), _joined(self.powers)
        peak = _joined(self.peaks).square().mean()
        umse, power = errors.mean(), powers.mean()
        error = _standard_error(errors)
        positive = umse > 0
        return {
            "umse": umse,
            "umse_error": error,
            "unmse": torch.where(power > 0, umse / power, torch.nan),
            "unmse_error": torch.where(
                power > 0, _standard_error(errors - umse / power * powers) / power, torch.nan
            ),
            "upsnr": torch.where(positive, _DB * torch.log(peak / umse.abs()), torch.nan),
            "upsnr_error": torch.where(positive, _DB * error / umse.abs(), torch.nan),
        }


def _joined(rows: list[Tensor] | Tensor) -> Tensor:
    """Values of all images; after an exchange between processes they are one tensor already."""
    return rows if isinstance(rows, Tensor) else torch.cat(list(rows))


def _standard_error(blocks: Tensor) -> Tensor:
    """Estimate the standard error of the mean of blocks; infinite for a single one."""
    if len(blocks) < 2:
        return blocks.new_tensor(math.inf)
    return blocks.std() / math.sqrt(len(blocks))
