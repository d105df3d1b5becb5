"""Error at a micrograph's border by its padding: ``python -m experiments.padding.run``."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import difftem
from difftem.io.mrc import read_mrc
from experiments._base.results import markdown_table, write_readme

BORDER = 8  # pixels
SCENE: dict[str, Any] = {
    "size": (512, 512),
    "pixel_size": 1.0,
    "defocus_um": 3.0,
    "particles": [{"name": "apoferritin", "source": "apoferritin", "count": 12}],
}
REFERENCE = 700  # pixels
# What padding is called, and in pixels; None is the default.
PADDINGS = {"an eighth of the side": 64, "default": None}


def border_errors(
    scene: dict[str, Any], paddings: Sequence[int | None], reference: int
) -> list[float]:
    """Compare fields with one that is padded by much more.

    Parameters
    ----------
    scene : dict
        Settings of `difftem.generate`.
    paddings : sequence of int or None
        Pixels; None is the default.
    reference : int
        Padding of the truth in pixels.

    Returns
    -------
    list of float
        For each padding the rms difference over the outermost `BORDER` pixels, over the standard
        deviation of the truth.
    """
    with tempfile.TemporaryDirectory() as name:
        truth, *images = (
            _noise_free(Path(name), f"{i}", {**scene, "padding": padding})
            for i, padding in enumerate(tqdm([reference, *paddings], desc="paddings"))
        )
    edge = np.ones_like(truth, dtype=bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    return [float(np.sqrt(np.square(image - truth)[edge].mean()) / truth.std()) for image in images]


def _noise_free(folder: Path, name: str, settings: dict[str, Any]) -> NDArray[np.float64]:
    """Image a scene; the same particles at the same places for every padding."""
    made = difftem.generate(folder / name, cache=str(folder / "cache"), **settings)
    return read_mrc(made.items[0] / "noise_free.mrc").data.astype(np.float64)


def main() -> None:
    """Print the table and write it."""
    errors = border_errors(SCENE, list(PADDINGS.values()), REFERENCE)
    rows = [
        (name, "by the delocalisation" if padding is None else f"{padding}", f"{100 * error:.3f} %")
        for (name, padding), error in zip(PADDINGS.items(), errors, strict=True)
    ]
    text = markdown_table(["padding", "pixels", "error at the border"], rows)
    print(text)
    write_readme(Path(__file__).parent, "run.py", f"{text}\n\ndifftem {difftem.__version__}.")


if __name__ == "__main__":
    main()
