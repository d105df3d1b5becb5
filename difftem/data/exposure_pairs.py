"""Exposures of one field against one another."""

from difftem.data.micrograph_pairs import MicrographPairs
from difftem.data.whole_pairs import MeasuredPairs, PairSource
from difftem.micrograph.whitened import WhitenedExposures


class ExposurePairs(MicrographPairs):
    """Exposures of one field, or even and odd frames of a movie, in register.

    Each side predicts the other; of more than two exposures, a random half of them predicts the
    others. Exposures are shifted by whole pixels only, because interpolation would filter the
    noise.

    Examples
    --------
    >>> import torch
    >>> from difftem.data.exposure_pairs import ExposurePairs
    >>> from difftem.io.mrc import write_mrc
    >>> rate = torch.full((3, 128, 128), 20.0)  # e/pixel
    >>> write_mrc("field.mrc", torch.poisson(rate, generator=torch.Generator().manual_seed(0)), 1.0)
    >>> data = ExposurePairs("field.mrc", size=64, n=8, n_validation=2, frames="exposures")
    >>> data.setup()
    >>> batch = next(iter(data.val_dataloader()))
    >>> batch["noisy"].shape == batch["target"].shape
    True
    """

    def make_source(self, whitened: WhitenedExposures) -> PairSource:
        """Pair the exposures of a field.

        Parameters
        ----------
        whitened : WhitenedExposures
            Of one field, two exposures at least.

        Returns
        -------
        PairSource
            Pairs.
        """
        return MeasuredPairs(whitened.values, whitened.electrons, self.seed)
