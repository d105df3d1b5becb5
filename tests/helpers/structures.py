"""Small structure files for tests, and what reading one said."""

import logging
from contextlib import contextmanager
from pathlib import Path

ATOM = "ATOM  {serial:5d}  {name:<3s}{alt}{res} {chain}{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
TAIL = "{occ:6.2f}{b:6.2f}          {element:>2s}  "
CIF_COLUMNS = (
    "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id "
    "label_entity_id label_seq_id Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv"
).split()


def line(serial, name, x, element="C", alt=" ", res="GLY", number=1, occ=1.0, b=10.0, chain="A"):
    """Make a line of a PDB file for an atom at (x, 2, 3)."""
    fields = {**locals(), "y": 2.0, "z": 3.0}
    return ATOM.format(**fields) + TAIL.format(**fields) + "\n"


def bare_line(
    name, res="GLY", number=1, x=0.0, tail="  1.00 20.00", record="ATOM  ", serial="    1"
):
    """Make a line without an element; `name` is what stands in columns 13-16, `res` in 18-21."""
    return f"{record}{serial} {name:<4s} {res:<4s}A{number:4d}    {x:8.3f}   2.000   3.000{tail}\n"


def write(path: Path, text: str) -> Path:
    """Write a text and return its path."""
    path.write_text(text, encoding="utf-8", newline="")
    return path


def cif(*rows, columns=CIF_COLUMNS):
    """Make an mmCIF block of atoms."""
    loop = "".join(f"_atom_site.{column}\n" for column in columns)
    return f"data_test\nloop_\n{loop}" + "".join(f"{row}\n" for row in rows)


@contextmanager
def said():
    """Yield a list that gets the accounts of the files that are read meanwhile."""
    lines = []

    class Keeper(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    logger, keeper = logging.getLogger("difftem.io.account"), Keeper()
    level = logger.level
    logger.addHandler(keeper)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(keeper)
        logger.setLevel(level)
