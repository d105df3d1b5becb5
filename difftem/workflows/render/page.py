"""A web page that turns a volume, in one file without any other."""

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_JPEG_QUALITY = 88
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px system-ui, sans-serif; margin: 2em auto; max-width: {width}px; padding: 0 1em }}
img {{ width: 100%; cursor: grab; touch-action: none; user-select: none }}
nav {{ display: flex; gap: 1em; align-items: center }}
input {{ flex: 1 }}
table {{ margin-top: 1em; border-spacing: 1em 0.2em; margin-left: -1em }}
td:first-child {{ color: #777 }}
@media (prefers-color-scheme: dark) {{ body {{ background: #181818; color: #ddd }} }}
</style>
<h1>{title}</h1>
<img id="view" alt="{title}" draggable="false" src="{first}">
<nav><button id="play" type="button">Play</button>
<input id="turn" type="range" min="0" max="{last}" value="0" aria-label="turn in degrees">
<output id="angle">0°</output></nav>
<table>{rows}</table>
<script>
const frames = {frames};
const view = document.getElementById("view"), turn = document.getElementById("turn");
const angle = document.getElementById("angle"), play = document.getElementById("play");
const n = frames.length, seconds = {seconds};
let timer = null, start = null;
function show(i) {{
  turn.value = ((i % n) + n) % n;
  view.src = frames[turn.value];
  angle.textContent = Math.round(360 * turn.value / n) + "°";
}}
function stop() {{ clearInterval(timer); timer = null; play.textContent = "Play"; }}
turn.oninput = () => {{ stop(); show(+turn.value); }};
play.onclick = () => {{
  if (timer !== null) return stop();
  play.textContent = "Stop";
  timer = setInterval(() => show(+turn.value + 1), 1000 * seconds / n);
}};
view.onpointerdown = (e) => {{
  stop(); start = [e.clientX, +turn.value]; view.setPointerCapture(e.pointerId);
}};
view.onpointermove = (e) => {{
  if (start) show(Math.round(start[1] - n / 2 * (e.clientX - start[0]) / view.clientWidth));
}};
view.onpointerup = view.onpointercancel = () => {{ start = null; }};
</script>
</html>
"""


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
    text = _PAGE.format(
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
