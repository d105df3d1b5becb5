"""Recipe of a set of images of nanoparticles."""

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from difftem.scene.nanoparticle.recipe import NanoparticleRecipe
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging

Split = Literal["train", "validation", "test"]
VERSION = 1  # of the numbers: a set that was made another way is not gone on with


@dataclass(frozen=True)
class NanoparticleSetConfig:
    """What a set holds.

    Parameters
    ----------
    n_models
        Models, each imaged at as many defoci as ``imaging`` says. A set can be extended: the first
        ones stay the same.
    seed
        With the number of a model, it decides all of it.
    validation_every, test_every
        Of so many models one is for validation, and one for testing; 0 keeps none. All images of
        a model are in one split.
    models
        Ranges of the particles and of their support.
    imaging
        Of the microscope and the images.
    """

    n_models: int = 300
    seed: int = 0
    validation_every: int = 10
    test_every: int = 10
    models: NanoparticleRecipe = field(default_factory=NanoparticleRecipe)
    imaging: NanoparticleImaging = field(default_factory=NanoparticleImaging)

    def __post_init__(self) -> None:
        """Check what the parts do not."""
        for name, least in (("n_models", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("validation_every", "test_every"):
            if getattr(self, name) < 0 or getattr(self, name) == 1:
                raise ValueError(f"{name} must be 0 or at least 2, got {getattr(self, name)}")
        if self.validation_every == self.test_every == 2:
            raise ValueError("validation_every and test_every of 2 leave no models for training")
        if self.imaging.width > self.models.field + 1e-6:
            raise ValueError(
                f"imaging.size, pixel_size and margin need a field of {self.imaging.width:.2f} Å, "
                f"models.field is {self.models.field:g} Å"
            )

    def split(self, model: int) -> Split:
        """Split that a model belongs to."""
        if self.test_every and model % self.test_every == self.test_every - 1:
            return "test"
        place = self.validation_every - (2 if self.validation_every == self.test_every else 1)
        if self.validation_every and model % self.validation_every == place:
            return "validation"
        return "train"

    def resized(self, n_models: int) -> "NanoparticleSetConfig":
        """Give the set as many models."""
        return dataclasses.replace(self, n_models=n_models)
