"""Micrographs against themselves: the electrons of an exposure in two random parts."""

from difftem.data.micrograph_pairs import MicrographPairs
from difftem.data.whole_pairs import PairSource, SplitPairs
from difftem.micrograph.field_of_view import FieldUse
from difftem.micrograph.stack_use import FrameUse
from difftem.micrograph.whitened import WhitenedExposures


class CountSplit(MicrographPairs):
    """Random splits of single exposures: each part is to be predicted from the other.

    Counts are split electron by electron; whitened values that are no counts by noise that is
    added to one part and taken off the other. Splits are made anew every 16 crops. Exposures of
    one field are taken together.

    Parameters
    ----------
    paths : list of str, or str
        MRC or TIFF files; exposures of the same field one after another.
    fraction : float
        Of the electrons in the noisy image, between 0 and 1; the others are the target.
    size : int
        Side of a crop in pixels; not less than the network sees.
    n : int
        Crops in an epoch.
    n_validation : int
        Crops for validation, the same each time.
    frames : {"auto", "exposures", "even_odd", "sum"}
        What the images of a stack are: exposures of one field; frames of a movie, added up to an
        even and an odd half, or to one image.
    fields : {"auto", "same", "separate"}
        Whether files show the same field. auto: if their correlation has a peak.
    gain : float, optional
        Grey values per electron; checked against the noise.
    dose : float, optional
        Electrons per pixel in an exposure; checked against the noise.
    pixel_size : float, optional
        Å; overrules the header.
    batch_size : int
        Crops in a batch.
    seed : int
        Of splits, places and turns.
    workers : int
        Processes that make batches.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> import torch
    >>> from difftem.data.count_split import CountSplit
    >>> from difftem.io.mrc import write_mrc
    >>> rate = torch.full((1, 128, 128), 20.0)  # e/pixel
    >>> write_mrc("field.mrc", torch.poisson(rate, generator=torch.Generator().manual_seed(0)), 1.0)
    >>> data = CountSplit("field.mrc", fraction=0.75, size=64, n=8, n_validation=2)
    >>> data.setup()
    >>> [round(each) for each in next(iter(data.val_dataloader()))["electrons"].tolist()]
    [15, 15]
    """

    def __init__(
        self,
        paths: list[str] | str,
        fraction: float = 0.5,
        size: int = 256,
        n: int = 1024,
        n_validation: int = 32,
        frames: FrameUse = "auto",
        fields: FieldUse = "auto",
        gain: float | None = None,
        dose: float | None = None,
        pixel_size: float | None = None,
        batch_size: int = 8,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__(
            paths, size, n, n_validation, frames, fields, gain, dose, pixel_size, batch_size, seed,
            workers,
        )  # fmt: skip
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must be between 0 and 1, got {fraction}")
        self.fraction = fraction

    def make_source(self, whitened: WhitenedExposures) -> PairSource:
        """Split a field.

        Parameters
        ----------
        whitened : WhitenedExposures
            Of one field.

        Returns
        -------
        PairSource
            Splits.
        """
        return SplitPairs(whitened.values, whitened.electrons, self.fraction, self.seed)
