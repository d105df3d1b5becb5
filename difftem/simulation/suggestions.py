"""Which key was meant by one that does not exist."""

import difflib
from collections.abc import Sequence

# Keys of earlier versions, and words that users try.
RENAMED = {
    "structure.file": "structure.source",
    "specimen": "copies",
    "placements": "copies.transforms",
    "environment": "ice.present",
    "mean_free_path": "ice.mean_free_path_nm",
    "specimen.copies": "copies.count",
    "specimen.orientations": "copies.orientations",
    "specimen.rotation_deg": "copies.rotation_deg",
    "specimen.placements": "copies.transforms",
    "specimen.environment": "ice.present",
    "specimen.ice_thickness_nm": "ice.thickness_nm",
    "specimen.mean_free_path_nm": "ice.mean_free_path_nm",
    "sampling.slice_thickness": "sampling.slice_thickness_nm",
    "dose": "exposure.dose_e_per_a2",
    "tilt": "exposure.tilts_deg",
    "voltage": "microscope.voltage_kv",
    "kv": "microscope.voltage_kv",
    "cs": "microscope.cs_mm",
    "cc": "microscope.cc_mm",
    "apix": "sampling.pixel_size",
    "camera": "detector.preset",
    "box_size": "sampling.size",
    "shape": "sampling.size",
    "ice_thickness": "ice.thickness_nm",
}


def suggestion(wrong: str, known: Sequence[str], listed: Sequence[str] | None = None) -> str:
    """Say behind an unknown key which known one is nearest.

    Parameters
    ----------
    wrong : str
        As typed, with dots where there are sections.
    known : sequence of str
        Keys that exist.
    listed : sequence of str, optional
        Those to list if none is near. Default: all.

    Returns
    -------
    str
        '; did you mean ...?', or the known keys; of a number, what the decimal mark is.
    """
    section, _, leaf = wrong.rpartition(".")
    if leaf.isdecimal():  # YAML's {defocus_um: 1,5}
        return "; a comma ends a value, the decimal mark is a point"
    by_leaf = {name.rsplit(".", 1)[-1]: name for name in known}
    longer = [name for name in known if name.rsplit(".", 1)[-1].startswith(f"{leaf}_")]
    found = [
        *_renamed(wrong),
        *(name for name in longer if name.startswith(f"{section}.")),
        *longer,
        *_renamed(leaf),
        *difflib.get_close_matches(wrong, known, n=1, cutoff=0.75),
        *(by_leaf[name] for name in difflib.get_close_matches(leaf, by_leaf, n=1, cutoff=0.6)),
        *difflib.get_close_matches(wrong, known, n=1, cutoff=0.5),
    ]
    nearest = next((name for name in found if name in known), None)
    return (
        f"; did you mean {nearest!r}?" if nearest else f"; known keys: {', '.join(listed or known)}"
    )


def _renamed(word: str) -> list[str]:
    """Today's key of an old one or of a usual word, and its last part: a keyword in Python."""
    keys = [new for old, new in RENAMED.items() if word.lower() in (old, old.replace(".", "_"))]
    return [name for key in keys[:1] for name in (key, key.rpartition(".")[2])]
