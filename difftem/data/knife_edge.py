"""Images of a straight edge a few degrees off the pixel grid, for the slanted-edge MTF."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from difftem.data.crops import CropFacts, Crops, CropSet, check_positive
from difftem.io.errors import input_error
from difftem.io.frames import read_frames
from difftem.io.mtf_curve import mtf_by_name
from difftem.micrograph.edge import Edge, distance, find_edge
from difftem.micrograph.edge_pixels import repair_edge
from difftem.modules.detector import Detector
from difftem.modules.poisson import PoissonLayer

_MARGIN = 64  # pixels simulated around an image: the Fourier transform's ends meet
MIN_SIZE = 64


@dataclass(frozen=True)
class EdgeFacts(CropFacts):
    """Facts of images of an edge.

    Attributes
    ----------
    edges : tuple of Edge
        One per image: as simulated, or as found in the image.

    Examples
    --------
    >>> from difftem.data.knife_edge import KnifeEdge
    >>> facts = KnifeEdge(size=64, n=2, angle_deg=4.0).facts
    >>> [edge.angle_deg for edge in facts.edges]
    [4.0, 4.0]
    """

    edges: tuple[Edge, ...] = field(default=(), kw_only=True)


class KnifeEdge(Crops):
    """Images of a slanted edge, of files or simulated, for `estimate-mtf --edge` and own tasks.

    The simulated edge is sharp and sampled in the middles of the pixels, so that its profile
    across a slanted edge holds difftem's MTF and nothing else: no further pixel aperture.

    Parameters
    ----------
    paths : list of str or str, optional
        MRC or TIFF files; each image of a stack is an image of its own. Simulated without.
    box : list of int, optional
        x, y, width, height in pixels of the part that holds the edge and nothing but it.
    size : int
        Side in pixels of a simulated image.
    n : int
        Simulated images.
    angle_deg : float
        Of the simulated edge's normal from +x towards +y; it points to the dark side.
    position : float
        Pixels of the simulated edge from the middle, along the normal.
    dose : float
        Electrons per pixel on the bright side.
    transmission : float
        Of the dark side.
    mtf : str
        Detector preset, RELION STAR file, or family, as in `SyntheticFlatFields`.
    mtf_parameters : dict, optional
        Of the family.
    gain : float
        Grey values per electron of the simulated detector.
    read_noise : float
        Standard deviation of its readout in grey values.
    seed : int
        Of all random numbers.
    batch_size : int, optional
        Images in a batch. Default: all of them.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> from difftem.data.knife_edge import KnifeEdge
    >>> data = KnifeEdge(size=64, dose=100.0, transmission=0.2, mtf="ideal")
    >>> image = data.crops.images[0]  # bright on the left: the normal of the edge points to +x
    >>> round(image[:, :16].mean().item(), -1), round(image[:, -16:].mean().item(), -1)
    (100.0, 20.0)
    """

    def __init__(
        self,
        paths: list[str] | str | None = None,
        box: list[int] | None = None,
        size: int = 512,
        n: int = 1,
        angle_deg: float = 5.0,
        position: float = 0.0,
        dose: float = 100.0,
        transmission: float = 0.0,
        mtf: str = "k3_300kv",
        mtf_parameters: dict[str, float | list[float]] | None = None,
        gain: float = 1.0,
        read_noise: float = 0.0,
        seed: int = 0,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(batch_size)
        check_positive(size=size, n=n, dose=dose, gain=gain)
        if size < MIN_SIZE:
            raise ValueError(f"size must be at least {MIN_SIZE} pixels, got {size}")
        if not 0 <= transmission < 1:
            raise ValueError(f"transmission must be in [0, 1), got {transmission}")
        if box is not None and (len(box) != 4 or min(box[:2]) < 0 or min(box[2:]) < MIN_SIZE):
            raise ValueError(
                f"box must be x, y >= 0 and width, height >= {MIN_SIZE} pixels, got {box}"
            )
        self.paths = [paths] if isinstance(paths, str) else paths
        self.box, self.size, self.n = box, size, n
        self.angle_deg, self.position, self.seed = angle_deg, position, seed
        self.dose, self.transmission = dose, transmission
        self.mtf = mtf_by_name(mtf, mtf_parameters)
        self.detector = Detector(self.mtf, gain=gain, read_noise=read_noise)

    @property
    def facts(self) -> EdgeFacts:
        """What is known about the images and their edges."""
        return cast(EdgeFacts, self.crops.facts)

    def truth(
        self,
        frequency: Tensor,  # (...) cycles/pixel
    ) -> Tensor | None:  # (...)
        """MTF behind simulated images; None for files."""
        if self.paths is not None:
            return None
        with torch.no_grad():
            return self.mtf(frequency)

    def make_crops(self) -> CropSet:
        """Read or simulate all images."""
        return self._simulated() if self.paths is None else self._read(self.paths)

    @torch.no_grad()
    def _simulated(self) -> CropSet:
        """Images of one edge, each with its own noise."""
        generator = torch.Generator().manual_seed(self.seed)
        side = self.size + 2 * _MARGIN
        bright = distance((side, side), self.angle_deg, self.position) < 0
        rate = torch.where(bright, self.dose, self.dose * self.transmission).float()
        counts = PoissonLayer()(rate.expand(self.n, -1, -1), generator)
        images = self.detector(counts, generator=generator)
        images = images[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN].contiguous()
        gain = float(self.detector.gain)
        levels = gain * self.dose, gain * self.dose * self.transmission
        edge = Edge(self.angle_deg, self.position, *levels, coherence=1.0)
        facts = EdgeFacts(
            gain=gain,
            read_noise=float(self.detector.read_noise),
            pixel_size=None,
            n_exposures=self.n,
            differences=False,
            notes=[edge.note] if edge.note else [],
            fields=("simulated",),
            edges=(edge,) * self.n,
        )
        return CropSet(images, images.mean((-2, -1)), facts)

    def _read(self, paths: list[str]) -> CropSet:
        """Images of files, with the edges found in them."""
        images: list[Tensor] = []
        edges: list[Edge] = []
        names: list[str] = []
        notes: list[str] = []
        pixel_size = None
        for path in paths:
            frames = read_frames(path)
            pixel_size = frames.pixel_size if pixel_size is None else pixel_size
            name = frames.path.name
            notes += [f"{name}: {note}" for note in frames.notes]
            names.append(name)
            for number, image in enumerate(frames.data, start=1):
                part = self._part(frames.path, torch.from_numpy(image.astype("float32")))
                if images and part.shape != images[0].shape:
                    (ny, nx), (my, mx) = images[0].shape, part.shape
                    raise input_error(
                        path, f"is {mx} x {my} pixels (x, y), {names[0]} {nx} x {ny}: give box"
                    )
                part, bad, edge = repair_edge(part)
                if not edge.is_straight:
                    raise input_error(
                        path,
                        f"no straight edge: coherence of the gradients is {edge.coherence:.2f}, "
                        "needed 0.5; --edge-box X Y W H tells the part that holds it",
                    )
                which = f" of image {number}" if len(frames.data) > 1 else ""
                if count := int(bad.sum()):
                    notes.append(
                        f"{name}: {count} bad pixels{which} replaced by the profile of the edge"
                    )
                edge = find_edge(part)
                notes += [f"{name}: {edge.note}"] if edge.note else []
                images.append(part)
                edges.append(edge)
        stack = torch.stack(images)
        facts = EdgeFacts(
            gain=None,
            read_noise=None,
            pixel_size=pixel_size,
            n_exposures=len(stack),
            differences=False,
            notes=notes,
            fields=tuple(names),
            edges=tuple(edges),
        )
        return CropSet(stack, stack.mean((-2, -1)), facts)

    def _part(self, path: Path, image: Tensor) -> Tensor:
        """Cut the box out of an image."""
        ny, nx = image.shape
        if self.box is None:
            x, y, width, height = 0, 0, nx, ny
        else:
            x, y, width, height = self.box
        if x + width > nx or y + height > ny:
            raise input_error(
                path, f"box {self.box} is outside the image of {nx} x {ny} pixels (x, y)"
            )
        if min(width, height) < MIN_SIZE:
            raise input_error(
                path, f"an edge needs {MIN_SIZE} pixels, the image has {nx} x {ny} (x, y)"
            )
        return image[y : y + height, x : x + width]
