"""What varies from micrograph to micrograph, and what is refused."""

import csv
import json

import pytest
import torch

from difftem.io.star import read_star
from difftem.scene.files.coordinates import read_coordinates
from difftem.simulation.config import ExposureConfig
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.variation import varied
from difftem.simulation.variation_config import KEYS, VariationConfig
from tests.helpers.generated_set import contents

RANGES = {
    "astigmatism_um": "[0.01, 0.1]",
    "astigmatism_angle_deg": "[0, 180]",
    "phase_shift_deg": "[10, 80]",
    "beam_tilt_mrad": "[-1, 1]",
    "cs_mm": "[2.0, 2.8]",
    "particles": "{blob: [1, 6]}",
}
GIVEN = [each for name, value in RANGES.items() for each in (f"--variation.{name}", value)]


def test_truth_says_what_was_drawn_for_each_micrograph(generate, pdb):
    code, _, folder = generate("--micrographs", 4, *GIVEN)
    assert code == 0
    with (folder / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    tables = read_star(folder / "micrographs.star")
    optics, micrographs = tables["optics"], tables["micrographs"]
    # Each has its own Cs and beam tilt, and so its own optics group.
    assert micrographs["rlnOpticsGroup"] == ["1", "2", "3", "4"]
    for i, row in enumerate(rows):
        record = json.loads((folder / row["folder"] / "run.json").read_text())
        drawn = record["varied"]
        assert {name: float(row[name]) for name in drawn} == drawn
        assert 0.01 <= drawn["astigmatism_um"] <= 0.1
        assert float(optics["rlnBeamTiltX"][i]) == pytest.approx(
            drawn["beam_tilt_x_mrad"], abs=1e-6
        )
        assert float(optics["rlnBeamTiltY"][i]) == pytest.approx(
            drawn["beam_tilt_y_mrad"], abs=1e-6
        )
        assert float(optics["rlnSphericalAberration"][i]) == pytest.approx(drawn["cs_mm"], abs=1e-6)
        phase = float(micrographs["rlnPhaseShift"][i])
        assert phase == pytest.approx(drawn["phase_shift_deg"], abs=1e-6)
        (copies,) = read_coordinates(folder / row["folder"] / "particles.csv")
        assert len(copies) == record["counts"]["blob"] == int(row["blob"])
        assert 1 <= len(copies) <= 6
    assert len({row["phase_shift_deg"] for row in rows}) == 4


def test_any_number_of_processes_draws_the_same(generate, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert generate("--micrographs", 3, *GIVEN, output=one)[0] == 0
    assert generate("--micrographs", 3, *GIVEN, "--devices", 2, output=two)[0] == 0
    assert contents(one) == contents(two)


def test_every_range_replaces_the_value_of_its_key_and_no_other_draw():
    fields = set(VariationConfig.__dataclass_fields__) - {"particles"}
    assert fields == set(KEYS)
    exposure = ExposureConfig(tilts_deg=[-10.0, 10.0])
    ranges = dict.fromkeys(fields, (0.25, 0.75))
    every = SceneConfig(exposure=exposure, variation=VariationConfig(**ranges))
    config, drawn = varied(every, 3)
    for name, key in KEYS.items():
        if name in ("defocus_um", "dose_e_per_a2", "ice_thickness_nm"):
            continue  # drawn where the micrograph is made
        section, _, field = key.partition(".")
        value = getattr(getattr(config, section), field)
        assert all(0.25 < each < 0.75 for each in (value if isinstance(value, tuple) else [value]))
        alone = SceneConfig(exposure=exposure, variation=VariationConfig(**{name: (0.25, 0.75)}))
        again, found = varied(alone, 3)
        assert found.items() <= drawn.items()
        assert getattr(getattr(again, section), field) == value
    values = torch.tensor([varied(every, i)[1]["cs_mm"] for i in range(400)])
    assert float(values.mean()) == pytest.approx(0.5, abs=4 * 0.5 / (12 * 400) ** 0.5)
    assert float(values.min()) < 0.26 and float(values.max()) > 0.74


def test_counts_are_whole_and_reach_both_ends(blob):
    particle = blob(count=3)
    config = SceneConfig([particle], variation=VariationConfig(particles={"blob": (1, 3)}))
    counts = [varied(config, i)[0].particles[0].count for i in range(60)]
    assert set(counts) == {1, 2, 3}
    dense = SceneConfig(
        [blob(per_um3=5.0)], variation=VariationConfig(particles={"blob": (4.0, 6.0)})
    )
    made, drawn = varied(dense, 0)
    assert 4 < made.particles[0].per_um3 < 6
    assert drawn == {"blob.per_um3": made.particles[0].per_um3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variation.cs_mm", "[3, 2]"], "variation.cs_mm must be [low, high], got [3.0, 2.0]"),
        (["--variation.cs_mm", "[1, 1e9]"], "variation.cs_mm[1] must be within 10000 mm"),
        (
            ["--variation.energy_spread_ev", "[-1, 1]"],
            "variation.energy_spread_ev[0] must not be negative",
        ),
        (["--variation.shift_error", "[1, 2]"], "variation.shift_error: stage.shift_error applies"),
        (["--variation.particles", "{ribosome: [1, 2]}"], "variation.particles.ribosome: there is"),
        (["--variation.particles", "{blob: [0, 2]}"], "variation.particles.blob must be [low, hi"),
        (["--variation.particles", "{blob: [1.5, 2]}"], "variation.particles.blob must be whole"),
        (["--variation.phase", "[1, 2]"], "variation.phase"),
    ],
)
def test_impossible_ranges_are_refused_in_one_line(generate, arguments, message):
    code, captured, folder = generate(*arguments)
    assert code == 2
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not folder.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("orientations: preferred, preferred: {axis: [0, 0, 0]}", "preferred.axis must not be 0"),
        (
            "orientations: preferred, preferred: {spread_deg: -1}",
            "preferred.spread_deg must not be negative",
        ),
        (
            "orientations: preferred, preferred: {share: 2}",
            "preferred.share must be at most 1",
        ),
        ("preferred: {share: 0.5}", "preferred applies with orientations 'preferred' only"),
    ],
)
def test_impossible_preferences_are_refused_in_one_line(generate, pdb, fields, message):
    code, captured, _ = generate(particles=f"[{{name: blob, source: {pdb}, count: 2, {fields}}}]")
    assert code == 2
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_preferred_orientations_are_in_the_tables(generate, pdb):
    fields = "orientations: preferred, preferred: {axis: [1, 0, 0], spread_deg: 0}"
    code, _, folder = generate(particles=f"[{{name: blob, source: {pdb}, count: 3, {fields}}}]")
    assert code == 0
    (copies,) = read_coordinates(folder / "000000" / "particles.csv")
    along = copies.rotations[:, :, 0]
    assert torch.allclose(along, torch.tensor([0.0, 0, 1]).double().expand(3, 3), atol=1e-6)
