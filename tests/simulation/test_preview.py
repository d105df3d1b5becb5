import torch

from difftem.simulation.preview import draw_preview, image_title

IMAGE = torch.randn(32, 24, generator=torch.Generator().manual_seed(0))


def test_a_picture_says_which_image_of_a_series_it_shows():
    assert image_title(0, [0.0]) == ""
    assert image_title(0, [30.0]) == "tilt 30°"
    assert image_title(1, [-10.0, 0.0, 10.0]) == "image 2 of 3: tilt 0°"
    assert image_title(1, [0.0, 0.0], [0.5, 2.0]) == "image 2 of 2: tilt 0°, defocus 2 µm"
    assert image_title(0, [0.0, 0.0], [0.5, 0.5]) == "image 1 of 2: tilt 0°"
    figure = draw_preview(IMAGE, IMAGE, 2.0, "name: 300 kV", "image 2 of 3: tilt 0°")
    assert figure.get_suptitle() == "name: 300 kV\nimage 2 of 3: tilt 0°"


def test_titles_lie_within_the_picture_and_apart_from_each_other():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for clean in (IMAGE, None):
        figure = draw_preview(clean, IMAGE, 2.0, "wide word " * 40, "image 2 of 3: tilt 0°")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        whole = figure._suptitle.get_window_extent(canvas.get_renderer())
        width, height = canvas.get_width_height()
        assert 0 <= whole.x0 < whole.x1 <= width
        assert whole.y1 <= height
        for axes in figure.axes:
            assert axes.title.get_window_extent(canvas.get_renderer()).y1 < whole.y0


def test_an_image_without_noise_is_drawn_once():
    twice, once = draw_preview(IMAGE, IMAGE, 2.0, ""), draw_preview(None, IMAGE, 2.0, "")
    assert [axes.get_title() for axes in twice.axes][:2] == ["noise-free", "micrograph"]
    assert [axes.get_title() for axes in once.axes] == [
        "image without noise", "power spectrum (log)",
    ]  # fmt: skip
