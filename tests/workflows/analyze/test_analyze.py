import csv
import json

import numpy as np
import pytest
import torch
from torch import nn

import difftem
from difftem.analysis.periodicity import periodicity
from difftem.io.mrc import write_mrc
from difftem.io.weights import write_weights
from difftem.networks import BiasFreeUNet
from difftem.workflows.analyze.figures import draw_periodicity
from tests.helpers.synthetic_columns import columns_image

PIXEL = 0.0623  # Å
# Two rows of a support that fills the lower end, and one column on top of it.
COLUMNS = [(x, y) for y in (112, 148) for x in (6, 44, 82, 120)] + [(63, 76)]


@pytest.fixture(scope="module")
def counts():
    generator = torch.Generator().manual_seed(3)
    image = columns_image(COLUMNS, 160, height=0.9, level=12.0)[:, :128]
    return torch.poisson(image, generator=generator).numpy()


@pytest.fixture(scope="module")
def result(counts, tmp_path_factory):
    truth = tmp_path_factory.mktemp("truth") / "truth.csv"
    lines = [f"{x},{y},{str(y < 120).lower()}" for x, y in COLUMNS if 8 < x < 120]
    truth.write_text("\n".join(["x_pixel,y_pixel,surface", *lines, ""]), "utf-8")
    return difftem.analyze(
        counts, method="wiener", pixel_size=PIXEL, null_frames=19, columns="all", truth=truth
    )


def test_columns_that_are_there_are_found_and_supported(result):
    rows = result.rows()
    apart = torch.cdist(
        torch.tensor([[63.0, 76.0], [44.0, 112.0], [82.0, 112.0]]), result.columns.positions.float()
    )
    assert float(apart.amin(1).max()) < 3
    for index in apart.argmin(1).tolist():
        assert rows[index]["verdict"] == "supported"
        assert rows[index]["ratio_nats"] > rows[index]["threshold_nats"]
        assert rows[index]["p_value"] == 0.05
        assert rows[index]["ceiling_auc"] > 0.9
    assert result.numbers["electrons_per_pixel"] == pytest.approx(12.0, rel=0.05)
    assert result.numbers["vacuum_electrons_per_pixel"] == pytest.approx(12.0, rel=0.05)


def test_scores_against_the_truth_are_told(result):
    assert result.numbers["truth"]["all"]["recall"] == 1
    assert result.numbers["truth"]["surface"]["recall"] == 1
    assert "truth, all columns: precision" in result.summary


def test_gradient_maps_are_of_a_surface_the_bulk_or_vacuum(result):
    names = [each.name for each in result.gradients]
    assert {"surface", "vacuum"} <= set(names) <= {"surface", "bulk", "vacuum"}
    for each in result.gradients:
        assert abs(each.gradient.net_bias) < 1e-5
        assert 0 < each.beyond < 1


def test_files_say_the_same_as_the_result(result, tmp_path):
    written = result.save(tmp_path / "out")
    assert all(path.stat().st_size > 0 for path in written)
    names = {path.name for path in written}
    assert {"columns.csv", "likelihood.png", "periodicity.png", "gradient_surface.png"} <= names
    with (tmp_path / "out" / "columns.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["x_pixel"]) for row in rows] == [row["x_pixel"] for row in result.rows()]
    record = json.loads((tmp_path / "out" / "analysis.json").read_text("utf-8"))
    assert record["likelihood"]["supported"] == sum(r["verdict"] == "supported" for r in rows)
    assert record["columns_found"] == len(rows)
    assert record["results"] == result.lines
    with pytest.raises(ValueError, match="exists and is not empty"):
        result.save(tmp_path / "out")
    (tmp_path / "out" / "gradient_x1_y1.png").write_text("of an earlier run")
    result.save(tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "gradient_x1_y1.png").exists()


@pytest.mark.parametrize("in_channels", [1, 2])
def test_a_network_of_a_file_gives_gradient_maps_of_chosen_pixels(counts, tmp_path, in_channels):
    network = BiasFreeUNet((8, 8), (1, 1), 4, in_channels)
    nn.init.normal_(network.tail.weight, std=0.02)
    account = {"network": {"class": "BiasFreeUNet", "config": network.config}}
    write_weights(tmp_path / "small.safetensors", network.state_dict(), account)
    write_mrc(tmp_path / "frame.mrc", counts.astype(np.float32), PIXEL, ["counts"])
    found = difftem.analyze(
        tmp_path / "frame.mrc",
        method="sbd",
        weights=tmp_path / "small.safetensors",
        columns="none",
        balance=False,
        gradient=[(63, 76), (10, 11)],
    )
    assert [each.name for each in found.gradients] == ["x63_y76", "x10_y11"]
    assert found.gradients[0].gradient.pixel == (76, 63)
    for each in found.gradients:
        assert abs(each.gradient.net_bias) < 1e-5 * max(1, abs(each.gradient.value))
    assert found.evidence is None
    assert all(row["verdict"] == "not tested" for row in found.rows())
    assert found.pixel_size == pytest.approx(PIXEL)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pixel_size": None}, "array: has no pixel size in its header: give --pixel-size, in Å"),
        ({"columns": "some"}, "columns must be one of surface, all, none, got 'some'"),
        ({"null_frames": 5}, "null_frames must be at least 19 for a level of 0.05, got 5"),
        ({"level": 2.0}, "level must be between 0.001 and 0.5, got 2.0"),
        ({"radius": -1.0}, "radius must be positive, got -1.0 Å"),
        (
            {"method": "gaussian", "gradient": [(4, 3)]},
            "gradient: method gaussian has no gradient maps: networks and wiener have",
        ),
        ({"gradient": [(400, 3)]}, "pixel x 400, y 3 must lie in the image of 128 x 160 pixels"),
    ],
)
def test_bad_options_are_one_line(counts, given, message):
    with pytest.raises(ValueError) as error:
        difftem.analyze(counts, **{"method": "wiener", "pixel_size": PIXEL} | given)
    assert message in str(error.value)


def test_without_gradient_maps_no_panel_is_left_empty():
    repeats = periodicity(columns_image(COLUMNS, 160, height=0.9, level=12.0), PIXEL)
    assert len(draw_periodicity(repeats, [], PIXEL, "title").axes) == 1


def test_an_image_without_electrons_is_refused():
    with pytest.raises(ValueError, match="array: constant image: every pixel is 0"):
        difftem.analyze(np.zeros((64, 64)), method="wiener", pixel_size=PIXEL)


def test_coloured_noise_is_refused(counts):
    blurred = (counts + np.roll(counts, 1, 0) + np.roll(counts, 1, 1)) / 3
    with pytest.raises(ValueError, match=r"array: "):
        difftem.analyze(blurred, method="wiener", pixel_size=PIXEL)


def test_a_truth_without_its_columns_is_refused(counts, tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("x,y\n1,2\n", "utf-8")
    with pytest.raises(
        ValueError, match=r"truth.csv: must have columns x_pixel and y_pixel, got x, y"
    ):
        difftem.analyze(counts, method="wiener", pixel_size=PIXEL, truth=path)
    path.write_text("x_pixel,y_pixel,surface\n1,2,maybe\n", "utf-8")
    with pytest.raises(ValueError, match=r"line 2: surface must be true or false, got 'maybe'"):
        difftem.analyze(counts, method="wiener", pixel_size=PIXEL, truth=path)
