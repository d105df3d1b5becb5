import json
from dataclasses import replace

import pytest
import torch

from difftem.io.errors import InputError
from difftem.simulation.bank.bank import Bank, make_bank
from difftem.simulation.bank.config import BankConfig
from difftem.simulation.bank.item import make_item

SMALL = BankConfig(
    n_items=3,
    size=64,
    validation_every=3,
    pixel_size=(4.0, 5.0),
    full_band=0.0,
    shares={"vesicle": 1.0},
    padding=8,
)


def test_an_item_is_decided_by_recipe_and_number():
    first, second = make_item(SMALL, 1), make_item(SMALL, 1)
    assert torch.equal(first.contrast, second.contrast)
    assert first.facts == second.facts
    other = make_item(SMALL, 2)
    assert float((other.contrast - first.contrast).abs().max()) > 1e-3
    assert not torch.equal(make_item(replace(SMALL, seed=1), 1).contrast, first.contrast)


def test_a_bank_is_taken_up_where_it_was_left_and_damaged_items_are_made_again(tmp_path):
    bank = make_bank(tmp_path / "bank", SMALL)
    contents = [bank.path(i).read_bytes() for i in range(3)]
    times = [bank.path(i).stat().st_mtime_ns for i in range(3)]
    bank.path(1).write_bytes(contents[1][:-100])
    bank.path(2).unlink()
    asked = []

    def watch(numbers, total):
        asked.append((sorted(numbers), total))
        return numbers

    make_bank(tmp_path / "bank", SMALL, watch)
    assert asked == [([1, 2], 2)]
    assert bank.path(0).stat().st_mtime_ns == times[0]
    first, second = bank.read(1), make_item(SMALL, 1)
    assert torch.equal(first.contrast, second.contrast.half())
    assert {path.name for path in (tmp_path / "bank").iterdir()} == {
        "bank.json",
        *(f"item_{i:06d}.npz" for i in range(3)),
    }


def test_a_bank_is_extended_and_its_first_items_stay(tmp_path):
    make_bank(tmp_path / "bank", replace(SMALL, n_items=1))
    before = Bank(tmp_path / "bank", SMALL).path(0).stat().st_mtime_ns
    bank = make_bank(tmp_path / "bank", replace(SMALL, n_items=2))
    assert bank.path(1).exists()
    assert bank.path(0).stat().st_mtime_ns == before


def test_a_folder_of_another_recipe_is_refused(tmp_path):
    make_bank(tmp_path / "bank", replace(SMALL, n_items=1))
    with pytest.raises(InputError, match="another recipe \\(its seed differ"):
        make_bank(tmp_path / "bank", replace(SMALL, n_items=1, seed=5))


def test_a_folder_that_is_no_bank_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="it is no bank"):
        make_bank(tmp_path, SMALL)
    (tmp_path / "bank.json").write_text("{")
    with pytest.raises(InputError, match="no record of a bank"):
        make_bank(tmp_path, SMALL)


def test_an_item_of_another_number_is_refused(tmp_path):
    bank = make_bank(tmp_path / "bank", replace(SMALL, n_items=2))
    bank.path(1).write_bytes(bank.path(0).read_bytes())
    with pytest.raises(InputError, match="another recipe or number"):
        bank.read(1)


@pytest.mark.parametrize("name", ["2om3.pdb", "6VXX.cif.gz", "/data/pdb6vxx.ent"])
def test_structures_that_are_held_out_are_refused(name):
    with pytest.raises(ValueError, match="is held out"):
        BankConfig(structures=(name,), shares={"structure": 1.0, "protein": 1.0})


def test_a_structure_that_is_held_out_is_refused_under_any_name(tmp_path):
    path = tmp_path / "particle.pdb"
    path.write_text("HEADER    VIRUS                                   20-JAN-07   2OM3\n")
    config = replace(SMALL, structures=(str(path),), shares={"structure": 1.0, "empty": 1.0})
    with pytest.raises(InputError, match="is 2OM3, on which results are shown"):
        make_bank(tmp_path / "bank", config)
    missing = replace(config, structures=(str(tmp_path / "nothing.pdb"),))
    with pytest.raises(InputError, match="nothing"):
        make_bank(tmp_path / "bank", missing)
    assert not (tmp_path / "bank").exists()


def test_the_order_of_the_shares_decides_nothing():
    shares = {"vesicle": 1.0, "empty": 1.0, "nanoparticle": 1.0}
    kinds = [
        [make_item(replace(SMALL, shares=dict(order)), i).facts["kind"] for i in range(4)]
        for order in (list(shares.items()), list(shares.items())[::-1])
    ]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_items": 0}, "n_items must be a positive"),
        ({"size": 8}, "size must be at least 64"),
        ({"pixel_size": (2.0, 1.0)}, "the smaller first"),
        ({"shares": {"proteins": 1.0}}, "unknown proteins"),
        ({"shares": {"protein": -1.0}}, "must be 0 or more"),
        ({"shares": {"apoferritin": 1.0}}, "validation needs a kind"),
        ({"shares": {"structure": 0.5, "protein": 1.0}}, "needs files"),
        ({"full_band": 1.5}, "full_band must be in"),
        ({"validation_every": 1}, "validation_every must be at least 2"),
    ],
)
def test_recipes_that_cannot_be_are_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)


def test_validation_never_shows_a_structure_that_training_shows():
    config = BankConfig(
        size=64, shares={"apoferritin": 1.0, "empty": 1e-9}, validation_every=2, n_items=4
    )
    kinds = [make_item(config, i).facts["kind"] for i in (1, 3)]
    assert kinds == ["empty", "empty"]


@pytest.mark.parametrize("kind", ["protein", "filament", "virion", "nanoparticle", "phantom"])
def test_every_kind_of_specimen_has_contrast_about_a_mean_of_zero(kind):
    config = replace(SMALL, shares={kind: 1.0})
    item = make_item(config, 0)
    assert item.contrast.shape == (64, 64)
    assert abs(float(item.contrast.mean())) < 1e-4
    assert 1e-4 < float(item.contrast.std()) < 0.6
    assert json.loads(json.dumps(item.facts)) == item.facts


def test_empty_ice_has_no_contrast():
    item = make_item(replace(SMALL, shares={"empty": 1.0}), 0)
    assert float(item.contrast.abs().max()) < 1e-5
