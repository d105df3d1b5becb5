"""A web page that turns a volume, in one file without any other."""

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

_JPEG_QUALITY = 88
_TEMPLATE = Path(__file__).with_name("page.html")


def write_page(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    title: str,
    facts: Mapping[str, str],
    seconds: float,
) -> None:
    """Write a page with a slider that turns what is shown; dragging the picture does so too.

    Parameters
    ----------
    path : Path
        To write, of any suffix; replaced.
    frames : iterable of ndarray
        Red, green, blue, once round.
    title : str
        Of the page.
    facts : mapping of str to str
        Listed below the picture.
    seconds : float
        Of one turn.
    """
    shown = [(_jpeg(frame), frame.shape[1]) for frame in frames]
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>\n"
        for name, value in facts.items()
    )
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        width=shown[0][1],
        first=shown[0][0],
        last=len(shown) - 1,
        rows=rows,
        frames=json.dumps([each for each, _ in shown]),
        seconds=seconds,
    )
    path.write_text(text, encoding="utf-8")


def _jpeg(frame: NDArray[np.uint8]) -> str:
    """Picture as the address of itself."""
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(frame).save(packed, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode("ascii")
