"""What an MRC file says beside its data, handed on to a file that is made of it."""

import warnings
from pathlib import Path

import mrcfile
import numpy as np

_SIZES = ("nx", "ny", "nz")
_PLACES = ("nxstart", "nystart", "nzstart", "origin")
_AXES = ("mapc", "mapr", "maps")
_LITTLE = 0x44
_RECORD = slice(16, 20)  # of extra2: bytes and flags of a section's record, as SerialEM writes them
_LABELS = 10


def copy_header(source: str | Path, made: str | Path) -> bool:
    """Give a file the extended header, origin, start and labels of the one that it was made of.

    Extended headers hold a record for each section (tilt angle, stage, exposure): both files must
    have one size. The made file's own labels come last.

    Parameters
    ----------
    source : str or Path
        MRC file that was read; it may be compressed.
    made : str or Path
        MRC file to change.

    Returns
    -------
    bool
        False where nothing was copied: the source is gone or no MRC file, of another size, with
        axes in another order, or big-endian (what its records hold cannot be turned).

    References
    ----------
    Cheng et al., J. Struct. Biol. 192 (2015) 146; IMOD, "MRC file format".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said when it was read
            with mrcfile.open(source, permissive=True, header_only=True) as mrc:
                head, records = mrc.header.copy(), mrc.extended_header
    except (OSError, ValueError):
        return False
    axes = [int(head[name]) for name in _AXES]
    if axes not in ([1, 2, 3], [0, 0, 0]) or int(head["machst"][0]) != _LITTLE:
        return False
    with mrcfile.open(made, "r+") as mrc:
        if any(int(mrc.header[name]) != int(head[name]) for name in _SIZES):
            return False
        for name in _PLACES:
            mrc.header[name] = head[name]
        before = [label for label in head["label"][: int(head["nlabl"])] if label.strip()]
        own = list(mrc.header["label"][: int(mrc.header["nlabl"])])
        labels = [*before[: _LABELS - len(own)], *own]
        mrc.header["label"][:] = b""
        mrc.header["label"][: len(labels)] = labels
        mrc.header["nlabl"] = len(labels)
        if records is not None and records.nbytes:
            mrc.header["exttyp"] = head["exttyp"]
            extra = np.frombuffer(mrc.header["extra2"].tobytes(), np.uint8).copy()
            extra[_RECORD] = np.frombuffer(head["extra2"].tobytes(), np.uint8)[_RECORD]
            mrc.header["extra2"] = extra.tobytes()
            mrc.set_extended_header(records)
    return True
