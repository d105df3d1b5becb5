"""What the data know, beside what a fit was told."""

import math
from typing import Any


def check_facts(facts: Any, gain: float | None, read_noise: float | None) -> list[str]:
    """Refuse data that a fit of noise cannot use, and note what it does not.

    Parameters
    ----------
    facts : object
        With ``gain``, ``read_noise`` and, of knife edges, ``edges``; None where nothing is known.
    gain : float or None
        Grey values per electron as the fit was told; None fits the level.
    read_noise : float or None
        Standard deviation in grey values as the fit was told; None fits it.

    Returns
    -------
    list of str
        Facts that the fit does not use, one line each.

    Raises
    ------
    ValueError
        For images of an edge, or a gain or read noise other than the data's.
    """
    if getattr(facts, "edges", ()):
        raise ValueError(
            "the data are images of a knife edge, not flat fields: difftem estimate-mtf --edge"
        )
    notes = []
    for name, told in (("gain", gain), ("read_noise", read_noise)):
        known = getattr(facts, name, None)
        if known is None:
            continue
        if told is None or (name == "read_noise" and told == 0 < known):
            notes.append(f"{name} {known:g} of the data is not used: set model.init_args.{name}")
        elif not math.isclose(told, known, rel_tol=1e-3):
            raise ValueError(
                f"{name} of the model is {told:g}, that of the data {known:g}: they must agree"
            )
    return notes


def check_processes(processes: int, loss: str, goes_on: bool) -> None:
    """Refuse several processes where each would fit its own part of the data.

    Parameters
    ----------
    processes : int
        Of the Trainer.
    loss : str
        Of the fit.
    goes_on : bool
        From a checkpoint, which holds the spectrum of all.

    Raises
    ------
    ValueError
        In one line.
    """
    if processes > 1 and (goes_on or loss != "whittle"):
        what = "a fit that goes on from a checkpoint" if goes_on else f"the loss {loss}"
        raise ValueError(
            f"{what} takes one process; trainer.devices x trainer.num_nodes is {processes}"
        )
