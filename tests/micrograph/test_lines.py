import pytest
import torch

from difftem.micrograph.lines import find_lines


@pytest.fixture
def flat(generator):
    """Flat field of 20 electrons per pixel with a gradient and a broad bump."""
    y, x = torch.meshgrid(torch.arange(512), torch.arange(768), indexing="ij")
    rate = 20 * (1 + 1e-4 * x + 0.1 * torch.exp(-((x - 300) ** 2 + (y - 200) ** 2) / 1e4))
    return torch.poisson(rate, generator=generator)


def test_a_flat_field_has_no_lines(flat):
    lines = find_lines(flat)
    assert (lines.columns, lines.rows, lines.notes) == ((), (), [])
    assert lines.column_power == pytest.approx(1, abs=0.2)
    assert lines.row_power == pytest.approx(1, abs=0.2)


def test_bright_and_dark_columns_and_rows_are_named(flat):
    flat[:, 100] *= 1.1
    flat[:, 501] *= 0.9
    flat[37] += 2
    lines = find_lines(flat)
    assert (lines.columns, lines.rows) == ((100, 501), (37,))
    assert lines.notes[0].startswith("gain reference lines: 2 columns stand out (100, 501), power")
    assert lines.notes[1].startswith(
        "gain reference lines: 1 rows stand out (37), power at ω_x = 0"
    )


def test_a_faint_pattern_of_all_columns_shows_on_the_axis_of_the_spectrum(flat, generator):
    pattern = 1 + 0.02 * torch.randn(768, generator=generator)
    lines = find_lines(flat * pattern)
    assert lines.columns == ()
    # Power of a column pattern: height x variance, 512 x (0.02 x 21)^2 = 90, of noise 21; tiles
    # with a Hann window spread that of 256 rows over their own axis.
    assert 2 < lines.column_power < 10
    assert lines.row_power == pytest.approx(1, abs=0.2)
    (note,) = lines.notes
    assert "column pattern, power at ω_y = 0 is" in note
    assert note.endswith("; a crystal with planes along it looks alike")
    assert find_lines((flat * pattern).T).notes[0].startswith("gain reference lines: row pattern")


def test_an_image_smaller_than_the_neighbourhood_is_survived():
    assert find_lines(torch.rand(8, 40)).columns == ()
