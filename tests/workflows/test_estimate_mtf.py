"""`difftem.estimate_mtf`: what the command does, in Python."""

import pytest
import torch

import difftem
from difftem.data.knife_edge import KnifeEdge
from difftem.data.real_crops import RealCrops
from difftem.io.mrc import write_mrc
from difftem.io.star import read_mtf_star
from tests.helpers.flat_fields import GAIN, flat_fields, tmv_curve


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """One micrograph of vacuum through the TMV set's detector."""
    path = tmp_path_factory.mktemp("flat") / "flat.mrc"
    write_mrc(path, flat_fields(1, 640, rate=20.0)["images"][0].numpy(), 1.0)
    return path


def test_an_estimate_holds_the_truth_and_is_saved_and_shown(flat, tmp_path):
    estimate = difftem.estimate_mtf(flat, size=128, gain=GAIN, family="lorentzian")
    truth = tmv_curve(estimate.frequency)
    deviation = (estimate.curve - truth).abs() / estimate.standard_error.clamp(min=1e-9)
    assert float(deviation[10:].max()) < 3.5
    assert estimate.family == "lorentzian"
    assert any("aliased power" in warning for warning in estimate.warnings)
    line = "flat.mrc: 1 image, 640 x 640 pixels (x, y), float32 (MRC mode 2), 1 Å (header), values"
    assert estimate.messages[0].startswith(line)
    assert f"\n## What was read\n\n- {line}" in estimate.report
    written = estimate.save(tmp_path)
    assert written[0] == tmp_path / "mtf.star"
    frequency, value = read_mtf_star(written[0])
    torch.testing.assert_close(torch.from_numpy(value), estimate.curve, rtol=0, atol=1e-6)
    assert len(frequency) == len(estimate.table.rows) == 101
    with pytest.raises(ValueError, match="exists already"):
        estimate.save(tmp_path / "mtf.star")
    estimate.show()


def test_what_it_decides_is_in_the_notes(flat, tmp_path, generator):
    bumps = torch.randn(1, 1, 40, 40, generator=generator, dtype=torch.float64)
    structure = 0.1 * torch.nn.functional.interpolate(bumps, size=640, mode="bilinear")[0]
    image = flat_fields(1, 640, rate=20.0, structure=structure)["images"][0]
    write_mrc(tmp_path / "bumps.mrc", image.numpy(), 1.0)
    plain = difftem.estimate_mtf(flat, size=128, family="lorentzian")
    bumped = difftem.estimate_mtf(tmp_path / "bumps.mrc", size=128, family="lorentzian")
    assert not any("structure below" in note for note in plain.notes)
    assert any("structure below" in note for note in bumped.notes)
    with pytest.raises(ValueError, match=r"noise power is .*gain 0\.5 is wrong"):
        difftem.estimate_mtf(flat, size=128, gain=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gain": 1.0, "dose": 2.0}, "give gain or dose, not both"),
        ({"gain": 0.0}, "gain must be a positive number, got 0"),
        ({"family": "gauss"}, "family must be auto or one of lorentzian"),
        ({"edge_box": (0, 0, 9, 9)}, "edge_box belongs to edge"),
        ({"edge": True, "gain": 2.0}, "gain does not apply to edge"),
        ({"max_frequency": 0.9}, "at most 0.707 cycles/pixel"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        difftem.estimate_mtf("none.mrc", **options)


def test_five_frames_of_vacuum_are_five_flat_fields(tmp_path):
    path = tmp_path / "vacuum.mrc"
    write_mrc(path, flat_fields(5, 256, rate=5.0)["images"].numpy(), 1.0)
    estimate = difftem.estimate_mtf(path, gain=GAIN, family="lorentzian")
    assert float((estimate.curve - tmv_curve(estimate.frequency)).abs().max()) < 0.02
    assert any("5 images are taken for flat fields" in note for note in estimate.notes)
    assert not any("structure below" in note for note in estimate.notes)


def test_a_knife_edge_keeps_its_pixels_and_gives_its_curve(tmp_path):
    made = KnifeEdge(size=824, dose=400.0, mtf="falcon4ec_300kv")
    write_mrc(tmp_path / "edge.mrc", made.crops.images.round().numpy(), 1.0)
    estimate = difftem.estimate_mtf(tmp_path / "edge.mrc", edge=True)
    error = estimate.curve - made.truth(estimate.frequency)
    assert float(error.abs().max()) < 0.01
    assert not any("bad pixels" in note for note in estimate.notes)
    assert estimate.notes[0].startswith("1 image, ")
    assert any("value 0: as it should be in the shadow" in note for note in estimate.notes)


def test_flat_fields_are_used_to_their_edges(tmp_path):
    path = tmp_path / "vacuum.mrc"
    write_mrc(path, flat_fields(3, 200, rate=5.0)["images"].numpy(), 1.0)
    facts = RealCrops(str(path), size=64, n=50, gain=GAIN).facts
    places = {(box.y, box.x) for box in facts.boxes}
    assert places == {(y, x) for y in (4, 68, 132) for x in (4, 68, 132)}
