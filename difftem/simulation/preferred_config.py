"""Orientations that particles prefer, as at the surface between air and water."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PreferredConfig:
    """How copies of preferred orientation are turned; about their axis they are turned at random.

    Parameters
    ----------
    axis
        Axis (x, y, z) of the particle that points along the beam, in the frame of its file after
        rotation_deg; its length does not count.
    spread_deg
        Standard deviation in degrees of the axis from the beam, along each of two directions (of
        von Mises and Fisher's distribution); 0 is none.
    share
        Share of the copies that prefer it, 0 to 1; the others are turned at random.
    flipped
        Share of these, 0 to 1, whose axis points against the beam.
    """

    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    spread_deg: float = 10.0
    share: float = 1.0
    flipped: float = 0.0


def check_preferred(where: str, kind: str | None, preferred: PreferredConfig) -> None:
    """Refuse a preference that is none, or that does not apply.

    Parameters
    ----------
    where : str
        What stands before the name of a field in messages.
    kind : str or None
        Orientations that are configured.
    preferred : PreferredConfig
        To check.

    Raises
    ------
    ValueError
        In one line that names the field.
    """
    if kind != "preferred":
        if preferred != PreferredConfig():
            raise ValueError(f"{where}preferred applies with orientations 'preferred' only")
        return
    if not any(preferred.axis):
        raise ValueError(f"{where}preferred.axis must not be 0, got {list(preferred.axis)}")
