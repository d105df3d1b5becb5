"""Recipe of a bank of clean micrographs."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = 1  # of the numbers: another recipe's hash for another way to make an item
# What results are shown on, and what training may therefore never see.
HELD_OUT = ("2om3", "6vxx")
KINDS = (
    "protein",
    "apoferritin",
    "structure",
    "filament",
    "vesicle",
    "virion",
    "nanoparticle",
    "phantom",
    "mixed",
    "empty",
)
# Of one real molecule: they are for training, not for validation.
REAL_KINDS = ("apoferritin", "structure")


def _shares() -> dict[str, float]:
    return {
        "protein": 0.34,
        "apoferritin": 0.02,
        "filament": 0.13,
        "vesicle": 0.10,
        "virion": 0.10,
        "nanoparticle": 0.07,
        "phantom": 0.08,
        "mixed": 0.12,
        "empty": 0.04,
    }


@dataclass(frozen=True)
class BankConfig:
    """What a bank holds.

    Parameters
    ----------
    n_items
        Micrographs. A bank can be extended: the first ones stay the same.
    seed
        With the number of an item, it decides all of it.
    size
        Side of the micrographs in pixels.
    shares
        Of the kinds: protein, apoferritin, structure, filament, vesicle, virion, nanoparticle,
        phantom, mixed, empty.
    structures
        Structure files of real particles, for the kind "structure".
    validation_every
        Every so many items, the last one is for validation; none of these shows a molecule of the
        others.
    pixel_size
        Limits in Å, drawn log-uniformly.
    defocus_um
        Limits of the underfocus in µm, drawn evenly.
    ice_nm
        Limits of the thickness of the ice in nm, drawn log-uniformly.
    full_band
        Share of the micrographs whose signal reaches Nyquist; that of the others ends at 2/3 of
        it, and takes a third of the time.
    padding
        Most pixels that are simulated around a micrograph on each side.
    """

    n_items: int = 1400
    seed: int = 0
    size: int = 512
    shares: dict[str, float] = field(default_factory=_shares)
    structures: tuple[str, ...] = ()
    validation_every: int = 8
    pixel_size: tuple[float, float] = (0.6, 6.0)
    defocus_um: tuple[float, float] = (0.3, 3.5)
    ice_nm: tuple[float, float] = (10.0, 150.0)
    full_band: float = 0.3
    padding: int = 80

    def __post_init__(self) -> None:
        """Check what can be checked without the files."""
        for name in ("n_items", "size", "validation_every"):
            value = getattr(self, name)
            if not (isinstance(value, int) and value > 0):
                raise ValueError(f"bank: {name} must be a positive whole number, got {value!r}")
        if self.size < 64:
            raise ValueError(f"bank: size must be at least 64 pixels, got {self.size}")
        if self.validation_every < 2:
            raise ValueError(
                f"bank: validation_every must be at least 2, got {self.validation_every}"
            )
        for name in ("pixel_size", "defocus_um", "ice_nm"):
            low, high = getattr(self, name)
            if not (0 < low <= high and math.isfinite(high)):
                raise ValueError(
                    f"bank: {name} must be two positive numbers, the smaller first, got "
                    f"{low}, {high}"
                )
        if not 0 <= self.full_band <= 1:
            raise ValueError(f"bank: full_band must be in [0, 1], got {self.full_band}")
        if not (isinstance(self.padding, int) and self.padding >= 0):
            raise ValueError(f"bank: padding must be 0 pixels or more, got {self.padding!r}")
        self._check_shares()
        for path in self.structures:
            if any(name in Path(path).name.lower() for name in HELD_OUT):
                raise ValueError(
                    f"bank: structures: {path} is held out: results are shown on 2OM3 (tobacco "
                    "mosaic virus) and 6VXX (spike of SARS-CoV-2), so no bank may hold them"
                )

    def _check_shares(self) -> None:
        unknown = sorted(set(self.shares) - set(KINDS))
        if unknown:
            raise ValueError(
                f"bank: shares: unknown {', '.join(unknown)}; known are {', '.join(KINDS)}"
            )
        bad = [name for name, share in self.shares.items() if not 0 <= share < math.inf]
        if bad or not sum(self.shares.values()) > 0:
            raise ValueError(
                "bank: shares must be 0 or more, and one of them positive, got "
                + ", ".join(f"{name} {share}" for name, share in self.shares.items())
            )
        if self.shares.get("structure", 0) > 0 and not self.structures:
            raise ValueError("bank: a share of the kind structure needs files in structures")
        if not any(self.shares.get(name, 0) > 0 for name in set(KINDS) - set(REAL_KINDS)):
            raise ValueError(
                f"bank: shares: validation needs a kind other than {' and '.join(REAL_KINDS)}"
            )

    def recipe(self) -> dict[str, Any]:
        """All that decides an item, as JSON holds it; the number of items does not."""
        values = dataclasses.asdict(self)
        del values["n_items"]
        return json.loads(json.dumps({"version": VERSION, **values}))

    def key(self) -> str:
        """Hash of the recipe."""
        text = json.dumps(self.recipe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def is_validation(self, index: int) -> bool:
        """Whether an item is kept for validation."""
        return index % self.validation_every == self.validation_every - 1
