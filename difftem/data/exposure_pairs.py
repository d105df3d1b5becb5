"""Exposures of one field against one another."""

from difftem.data.micrograph_pairs import MicrographPairs
from difftem.data.whole_pairs import MeasuredPairs, PairSource
from difftem.micrograph.whitened import WhitenedExposures


class ExposurePairs(MicrographPairs):
    """Exposures of one field, or even and odd frames of a movie, in register.

    Each side predicts the other; of more than two exposures, a random half of them predicts the
    others. Exposures are shifted by whole pixels only, because interpolation would filter the
    noise.
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
