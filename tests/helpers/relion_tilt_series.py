"""RELION 5's table of the tilts of one tomogram, read back."""

from pathlib import Path

import torch

from difftem.io.star import read_star, star_numbers
from difftem.scene.files.euler import rotation_from_tilt
from difftem.scene.files.relion_tilt_series import TiltSeries
from difftem.scene.files.relion_write import Defocus

TILTS = ("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot")
SHIFTS = ("rlnTomoXShiftAngst", "rlnTomoYShiftAngst")
DEFOCUS = ("rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle")


def read_relion_tilt_series(path: Path) -> TiltSeries:
    """Read what `write_relion_tilt_series` wrote; the defocus is empty where there is none."""
    (table,) = read_star(path).values()

    def columns(*tags: str) -> torch.Tensor:
        return torch.stack([torch.from_numpy(star_numbers(path, table, tag)) for tag in tags], -1)

    defocus = columns(*DEFOCUS).tolist() if DEFOCUS[0] in table else []
    return TiltSeries(
        rotation_from_tilt(columns(*TILTS)),
        columns(*SHIFTS),
        columns("rlnTomoNominalStageTiltAngle")[:, 0],
        columns("rlnMicrographPreExposure")[:, 0],
        tuple(Defocus(*row) for row in defocus),
    )
