"""A network on an image of any size: overlapping tiles whose insides fit together without seams."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

LATTICE = 32  # pixels: of four levels on images that are unshuffled four times
SIDE, HALO = 1024, 224  # pixels: of what is kept of a tile, and around it
Window = tuple[slice, slice]


class Tile(NamedTuple):
    """A part of an image, and what is kept of it.

    Attributes
    ----------
    window : tuple of slice
        That the network sees, in the image.
    kept : tuple of slice
        Of the image.
    inside : tuple of slice
        The same, in the window.
    """

    window: Window
    kept: Window
    inside: Window


def cut_tiles(
    shape: tuple[int, int], side: int = SIDE, halo: int = HALO, lattice: int = LATTICE
) -> Iterator[Tile]:
    """Cut an image into tiles of about one size that overlap by halos.

    Windows begin on a lattice, or the coarse levels of a network would not be the same in two
    tiles. At the border of the image there is no halo: the network sees it as it would see it in
    the whole image.

    Parameters
    ----------
    shape : tuple of int
        ``(y, x)``.
    side : int
        Largest side of what is kept, pixels.
    halo : int
        Pixels around it that the network sees, rounded up to the lattice.
    lattice : int
        Pixels.

    Yields
    ------
    Tile
        Row by row; what is kept covers the image once.
    """
    halo = -(-halo // lattice) * lattice
    rows, columns = (_edges(n, side, lattice) for n in shape)
    for y in rows:
        for x in columns:
            (top, rows_kept, rows_in), (left, kept, inside) = (
                _part(*part, n, halo) for part, n in zip((y, x), shape, strict=True)
            )
            yield Tile((top, left), (rows_kept, kept), (rows_in, inside))


def run_in_tiles(
    network: nn.Module,
    noisy: Tensor,  # (y, x)
    wiener: Tensor,  # (y, x)
    *,
    side: int = SIDE,
    halo: int = HALO,
    rotations: bool = False,
    progress: bool = False,
) -> Tensor:  # (y, x)
    """Run a network on an image, tile by tile.

    Parameters
    ----------
    network : Module
        ``(b, 2, y, x)`` to ``(b, 1, y, x)``; its attribute ``lattice``, if any, is kept to, and if
        its ``in_channels`` is 1, it sees no Wiener's estimate.
    noisy, wiener : Tensor
        Whitened values and Wiener's estimate of the whole image, shape ``(y, x)``.
    side, halo : int
        As of `cut_tiles`.
    rotations : bool
        Average over the eight orientations of a tile.
    progress : bool
        Show a bar.

    Returns
    -------
    Tensor
        On the device of `noisy`.
    """
    shape = (noisy.shape[0], noisy.shape[1])
    lattice = getattr(network, "lattice", LATTICE)
    tiles = list(cut_tiles(shape, side, halo, lattice if isinstance(lattice, int) else LATTICE))
    channels = 1 if getattr(network, "in_channels", 2) == 1 else 2
    estimate = torch.empty_like(noisy)
    training = network.training
    network.eval()
    bar = tqdm(
        tiles, desc="denoising", unit="tile", leave=False, disable=None if progress else True
    )
    with torch.no_grad():
        for tile in bar:
            y, x = tile.window
            inputs = torch.stack([noisy[y, x], wiener[y, x]][:channels])[None]
            found = _averaged(network, inputs) if rotations else network(inputs)
            estimate[tile.kept[0], tile.kept[1]] = found[0, 0][tile.inside[0], tile.inside[1]]
    network.train(training)
    return estimate


def _averaged(network: nn.Module, inputs: Tensor) -> Tensor:
    """Average the estimates of the eight orientations, turned back."""
    total = torch.zeros_like(inputs[:, :1])
    for flip in (False, True):
        for quarter in range(4):
            turned = torch.rot90(inputs.flip(-1) if flip else inputs, quarter, (-2, -1))
            back = torch.rot90(network(turned.contiguous()), -quarter, (-2, -1))
            total += back.flip(-1) if flip else back
    return total / 8


def _edges(n: int, side: int, lattice: int) -> list[tuple[int, int]]:
    """Cut a length into equal parts that begin on the lattice."""
    step = max(lattice, -(-n // (-(-n // side) * lattice)) * lattice)
    return [(start, min(start + step, n)) for start in range(0, n, step)]


def _part(start: int, stop: int, n: int, halo: int) -> tuple[slice, slice, slice]:
    """Window, what is kept in the image, and in the window, along one axis."""
    low, high = max(start - halo, 0), min(stop + halo, n)
    return slice(low, high), slice(start, stop), slice(start - low, stop - low)
