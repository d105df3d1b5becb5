import numpy as np
import pytest

from difftem.io.errors import InputError
from difftem.io.star import read_mtf_star, read_star, star_text, write_mtf_star

HEADER = "data_\nloop_\n_rlnResolutionInversePixel\n_rlnMtfValue\n"


def test_curve_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "mtf.star"
    frequency = np.linspace(0, 0.5, 11)
    value = np.sinc(frequency)
    write_mtf_star(path, frequency, value, name="ideal")
    x, y = read_mtf_star(path)
    np.testing.assert_allclose(x, frequency, atol=1e-8)
    np.testing.assert_allclose(y, value, atol=1e-8)
    assert path.read_text().startswith("data_ideal\n")
    assert "_rlnResolutionInversePixel" in path.read_text()


def test_columns_are_found_by_name_in_any_order_and_block(tmp_path):
    path = tmp_path / "mtf.star"
    path.write_text(
        "data_general\n_rlnImageSize 4\ndata_mtf\nloop_\n_rlnMtfValue #1\n_rlnIndex #2\n"
        "_rlnResolutionInversePixel #3\n1.0 1 0.0\n0.5 2 0.5\n"
    )
    frequency, value = read_mtf_star(path)
    assert frequency.tolist() == [0.0, 0.5]
    assert value.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("name", "n_points", "last_frequency", "last_value"),
    [
        ("mtf_de20_300kV.star", 641, 0.5, 0.2042),
        ("mtf_falcon3EC_300kV.star", 64, 0.492188, 0.1517875288),
        ("mtf_falcon4EC_300kV.star", 64, 0.4921875, 0.092640118),
        ("mtf_k2_300kV.star", 1001, 0.5, 0.388115),
        ("mtf_k3_standard_300kV_FL2.star", 33, 0.507936508, 0.627949844),
    ],
)
def test_published_curves_are_read(shared_data, name, n_points, last_frequency, last_value):
    frequency, value = read_mtf_star(shared_data / "detectors" / name)
    assert len(frequency) == n_points
    assert frequency[0] == 0
    assert value[0] == pytest.approx(1, abs=1e-3)
    assert frequency[-1] == last_frequency
    assert value[-1] == last_value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not a star file", "not a STAR file: .*expected block header"),
        ("data_\n_rlnImageSize 4\n", "no loop with _rlnResolutionInversePixel and _rlnMtfValue"),
        (HEADER + "0 1\n0.2\n", "not a STAR file: .*Wrong number of values in loop"),
        (HEADER + "0 1\n", "needs two points or more, got 1"),
        (
            HEADER + "0 1\n0.2 .8\n0.1 .7\n",
            r"frequency must increase, got 0\.1 after 0\.2 in row 3",
        ),
        (HEADER + "0 1\n0.2 high\n", "MTF must be a number, got nan in row 2"),
        (HEADER + "0 0.7\n0.2 .6\n", r"MTF must be near 1 at frequency 0, got 0\.7"),
        (HEADER + "0.3 1\n0.4 .6\n", r"must start near 0 cycles/pixel, got 0\.3"),
        (HEADER + "-0.1 1\n0.4 .6\n", r"must start near 0 cycles/pixel, got -0\.1"),
    ],
)
def test_what_is_no_mtf_is_refused_in_one_line_that_names_the_file(tmp_path, text, message):
    path = tmp_path / "bad.star"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        read_mtf_star(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.star: no such file"):
        read_mtf_star(tmp_path / "none.star")
    with pytest.raises(InputError, match="is a folder, expected a file"):
        read_mtf_star(tmp_path)


def test_only_an_mtf_is_written_and_nothing_is_replaced_unasked(tmp_path):
    path = tmp_path / "mtf.star"
    with pytest.raises(ValueError, match="frequency must increase"):
        write_mtf_star(path, [0.0, 0.5, 0.5], [1.0, 0.6, 0.5])
    with pytest.raises(ValueError, match=r"equally long, got \(2,\) and \(3,\)"):
        write_mtf_star(path, [0.0, 0.5], [1.0, 0.6, 0.5])
    assert not path.exists()
    write_mtf_star(path, [0.0, 0.5], [1.0, 0.6])
    with pytest.raises(InputError, match="exists already"):
        write_mtf_star(path, [0.0, 0.5], [1.0, 0.4])
    write_mtf_star(path, [0.0, 0.5], [1.0, 0.4], overwrite=True)
    assert read_mtf_star(path)[1].tolist() == [1.0, 0.4]
    assert [entry.name for entry in tmp_path.iterdir()] == ["mtf.star"]


def curve(tmp_path, rows, name="mtf.star"):
    path = tmp_path / name
    path.write_text(HEADER + "".join(f"{x} {y}\n" for x, y in rows))
    return path


def test_a_curve_that_counts_fractions_of_nyquist_is_refused_and_can_be_read(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    rows = [(0, 1), (0.125, 0.9), (0.25, 0.8), (0.5, 0.5), (0.75, 0.3), (1.0, 0.1)]
    path = curve(tmp_path, rows)
    with pytest.raises(InputError, match=r"reaches 1, .* a fraction of Nyquist") as refused:
        read_mtf_star(path)
    assert "detector.mtf_nyquist 1 reads it so, or halve the column" in str(refused.value)
    frequency, value = read_mtf_star(path, nyquist=1.0)
    assert frequency.tolist() == [0, 0.0625, 0.125, 0.25, 0.375, 0.5]
    assert value.tolist() == [y for _, y in rows]
    assert caplog.messages == [
        "mtf.star: MTF of 6 points, 0 to 0.5 cycles/pixel, Nyquist is 1 in the file, 0.1 at Nyquist"
    ]


def test_a_curve_to_the_corner_is_one_in_cycles_per_pixel(tmp_path):
    assert read_mtf_star(curve(tmp_path, [(0, 1), (0.70711, 0.2)]))[0][-1] == 0.70711


@pytest.mark.parametrize(
    ("value", "said"), [("1.5", "1.5"), ("-0.1", "-0.1"), ("0", "0"), ("1e300", "1e+300")]
)
def test_values_that_no_mtf_has_are_refused_by_their_row(tmp_path, value, said):
    path = curve(tmp_path, [(0, 1), (0.25, value), (0.5, 0.2)])
    with pytest.raises(InputError) as refused:
        read_mtf_star(path)
    assert str(refused.value).endswith(f"MTF must be above 0 and at most 1.1, got {said} in row 2")


def test_noise_may_rise_above_its_value_at_zero(tmp_path):
    path = curve(tmp_path, [(0, 1), (0.25, 1.3), (0.5, 1.2)])
    assert read_mtf_star(path, kind="NTF")[1].tolist() == [1, 1.3, 1.2]
    with pytest.raises(InputError, match=r"MTF must be above 0 and at most 1\.1, got 1\.3"):
        read_mtf_star(path)


def test_an_early_end_is_doubted_and_other_columns_are_named(tmp_path, caplog):
    caplog.set_level("INFO", "difftem")
    path = tmp_path / "mtf.star"
    path.write_text(
        "data_mtf\n_rlnVoltage 300\nloop_\n_rlnIndex\n_rlnResolutionInversePixel\n_rlnMtfValue\n"
        "1 0 1\n2 0.3 0.5\n"
    )
    read_mtf_star(path)
    assert caplog.messages == [
        "mtf.star: MTF of 2 points, 0 to 0.3 cycles/pixel, 0.5 at its end"
        "; not used: rlnVoltage, rlnIndex",
        "mtf.star: ends at 0.3 cycles/pixel and goes on linearly; is its frequency in 1/Å?",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_tables_of_every_program_are_read(tmp_path, end):
    path = tmp_path / "mtf.star"
    text = HEADER + "# a comment\n0 1\n0.5 0.25\n"
    path.write_bytes(("\ufeff" + text.replace("\n", end)).encode())
    assert read_mtf_star(path)[1].tolist() == [1, 0.25]
    assert read_star(path)[" "]["rlnMtfValue"] == ["1", "0.25"]


def test_a_curve_in_another_format_is_refused_with_what_it_should_be(tmp_path):
    path = tmp_path / "mtf.json"
    path.write_text("frequency,mtf\n0,1\n")
    with pytest.raises(InputError, match=r"not a STAR file: .* an MTF is a table of _rlnResol"):
        read_mtf_star(path)


def test_cells_are_quoted_only_where_they_must_be(tmp_path):
    plain = ["000/m.mrc", "1@x.mrcs:mrcs", "-1.5e-3", "[1,2]", "<NA>", "series_0", "x"]
    odd = ["data_x", "loop_", "_a", "a b", "", "it's", "?", ".", "a#b", "$x", 'say "so"']
    text = star_text({"t": {"rlnX": [*plain, *odd]}})
    lines = text.splitlines()
    assert lines[3 : 3 + len(plain)] == plain
    assert all(line[0] in "'\"" for line in lines[3 + len(plain) :] if line)
    (tmp_path / "t.star").write_text(text)
    assert read_star(tmp_path / "t.star")["t"]["rlnX"] == [*plain, *odd]
