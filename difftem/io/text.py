"""Text of files, whichever program wrote it."""

import codecs
from pathlib import Path

from difftem.io.errors import input_error
from difftem.io.files import read_bytes

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path) -> str:
    """Read a text file; every line ends in LF.

    Parameters
    ----------
    path : str or Path
        File to read, also as ``.gz``: UTF-8 with or without a byte order mark, UTF-16 with one, or
        else Latin-1; lines may end in LF, CR LF or CR.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    InputError
        If the file is missing or no text.
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise input_error(path, "not a text file: it holds bytes of 0")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_number(word: str | bytes) -> bool:
    """Whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
