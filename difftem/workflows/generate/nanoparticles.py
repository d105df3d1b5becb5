"""Recipe of nanoparticles to a set of their images on disk."""

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from difftem.io.account import counted
from difftem.io.errors import input_error
from difftem.simulation.bank.progress import tell_progress
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.make_set import make_set
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.simulation.settings import configured


@dataclass(frozen=True)
class GenerateNanoparticlesConfig:
    """Settings of a set of images of nanoparticles.

    Parameters
    ----------
    nanoparticles
        Models, microscope and images.
    """

    nanoparticles: NanoparticleSetConfig = field(default_factory=NanoparticleSetConfig)


@dataclass(frozen=True)
class GeneratedNanoparticles:
    """A set of images on disk.

    Attributes
    ----------
    images : NanoparticleSet
        Reader of the set.
    made : int
        Models that this run made.
    seconds : float
        That this took.
    """

    images: NanoparticleSet
    made: int
    seconds: float

    def summary(self) -> str:
        """Tell in a few lines what is there."""
        rows = self.images.rows
        contrasts = Counter(str(row["contrast"]) for row in rows)
        splits = Counter(str(row["split"]) for row in rows)
        new = self.made * self.images.config.imaging.n_defocus
        speed = f"{counted(new, 'image')} made, {new / self.seconds:.1f} a second"
        return "\n".join(
            [
                f"wrote {self.images.folder}: {counted(len(rows), 'image')} of "
                f"{counted(self.images.config.n_models, 'model')}; {speed if new else 'none made'}",
                "contrast: " + ", ".join(f"{n} {name}" for name, n in contrasts.most_common()),
                "split: " + ", ".join(f"{n} {name}" for name, n in splits.most_common()),
            ]
        )

    def figure(self) -> Any:
        """Draw some images on one sheet.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
        from difftem.workflows.generate.nanoparticle_sheet import draw_nanoparticles

        return draw_nanoparticles(self.images)

    def show(self) -> None:
        """Show `figure` in a window or a notebook."""
        from difftem.simulation.preview import show_figure

        show_figure(self.figure())

    def save(self, folder: str | Path) -> Path:
        """Copy the set to another folder, which must not exist yet."""
        place = Path(folder)
        if place.exists():
            raise input_error(place, "exists; choose another folder")
        try:
            shutil.copytree(self.images.folder, place)
        except OSError as error:
            raise input_error(place, f"cannot be written: {error.strerror or error}") from error
        return place


def generate_nanoparticles(
    output: str | Path,
    *,
    config: GenerateNanoparticlesConfig | str | Path | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> GeneratedNanoparticles:
    """Make images of nanoparticles, as ``difftem generate`` does with the key ``nanoparticles``.

    A run that was interrupted goes on where it was when it is called again; a larger number of
    models extends the set.

    Parameters
    ----------
    output : str or Path
        Folder of the set: to make, or to go on with.
    config : GenerateNanoparticlesConfig or str or Path, optional
        To start from; a YAML file by its path. Default: the defaults of every setting.
    overwrite : bool
        Remove the set that is there.
    **settings
        Any field of `NanoparticleSetConfig`, `NanoparticleRecipe` and `NanoparticleImaging` by its
        name: ``n_models``, ``thickness``, ``defocus_um`` ...

    Returns
    -------
    GeneratedNanoparticles
        ``.images`` reads the set.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    configuration = configured(GenerateNanoparticlesConfig, config, settings)
    start = time.perf_counter()
    progress = partial(tell_progress, name="nanoparticles", unit="model")
    made = make_set(output, configuration.nanoparticles, progress, overwrite)
    seconds = time.perf_counter() - start
    return GeneratedNanoparticles(NanoparticleSet(output), made, seconds)
