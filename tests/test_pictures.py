import ast
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from difftem.pictures import draw_array, draw_image, grey_limits

ROOT = Path(__file__).parents[1]
# What may call imshow, or turn an array into a picture, and why.
OWN = {
    "difftem/pictures.py": "what all others call",
    "difftem/workflows/render/result.py": "shows a picture that was rendered in colours",
    "difftem/workflows/render/movie.py": "frames that were rendered in colours",
    "difftem/workflows/render/page.py": "frames that were rendered in colours",
}
DRAWING = {
    "imshow", "matshow", "pcolormesh", "pcolor", "imsave", "figimage", "fromarray", "invert_yaxis",
}  # fmt: skip


def drawn(draw, *arguments) -> np.ndarray:
    """Pixels of the PNG of a figure of 100 x 100 pixels that the axes fill."""
    figure = Figure(figsize=(1, 1), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    draw(axes, *arguments)
    axes.set_axis_off()  # whose frame would hide the outermost pixels
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return np.asarray(Image.open(file).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("draw", "rest"), [(draw_array, ((0.0, 1.0),)), (draw_image, (None, (0.0, 1.0)))]
)
def test_a_bright_pixel_of_row_0_and_column_0_is_in_the_lower_left_corner_of_the_png(draw, rest):
    image = torch.zeros(10, 10)
    image[0, 0] = 1
    picture = drawn(draw, image, *rest)[..., 0]
    ys, xs = np.nonzero(picture > 200)
    assert ys.min() >= 88 and ys.max() == 99  # rows of a PNG count from the top
    assert xs.min() == 0 and xs.max() <= 11
    assert len(ys) >= 64


@pytest.mark.parametrize("side", [64, 2048])  # as it is, and binned
def test_a_mark_in_pixels_lies_on_its_spot_also_where_a_large_image_is_binned(side):
    image = torch.zeros(side, side)
    x, y, reach = round(0.75 * side), round(0.2 * side), side // 16
    image[y - reach : y + reach + 1, x - reach : x + reach + 1] = 1

    def draw(axes):
        draw_image(axes, image, 1.0, (0.0, 1.0))
        axes.plot(x, y, ".", color="red", markersize=2, markeredgewidth=0)
        assert axes.get_xlim() == axes.get_ylim() == (-0.5, side - 0.5)

    red, green, blue = drawn(draw).transpose(2, 0, 1)
    marked = np.nonzero((red > 200) & (green < 100) & (blue < 100))
    bright = np.nonzero((red > 200) & (green > 200))
    inside = bright[1] > 50  # the scale bar is on the left
    middle = [(each[inside].min() + each[inside].max()) / 2 for each in bright]
    assert np.mean(marked[0]) == pytest.approx(middle[0], abs=1.0)
    assert np.mean(marked[1]) == pytest.approx(middle[1], abs=1.0)


def test_grey_limits_leave_out_the_extreme_half_percent():
    assert grey_limits(torch.linspace(0, 1, 1001)) == pytest.approx((0.005, 0.995))
    assert grey_limits(torch.full((4, 4), 3.0)) == (3.0, 4.0)


@pytest.mark.skipif(not (ROOT / "difftem").is_dir(), reason="the package is installed")
def test_every_picture_of_package_and_experiments_is_drawn_by_one_function():
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.func.attr}"
        for folder in ("difftem", "experiments")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in OWN
        and any(name in (source := path.read_text("utf-8")) for name in DRAWING)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in DRAWING
    ]
    assert not calls, "\n".join(calls)


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the package is installed")
def test_tutorials_show_row_0_at_the_bottom():
    calls = [
        node
        for path in sorted((ROOT / "docs" / "tutorials").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "imshow"
    ]
    assert len(calls) >= 3
    for call in calls:
        origin = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
        assert origin.get("origin") == "lower", ast.unparse(call)
