import shutil
from dataclasses import replace

import pytest
import torch

from difftem.io.errors import InputError
from difftem.simulation.nanoparticles.item import image_model
from difftem.simulation.nanoparticles.make_set import make_set
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from tests.helpers.nanoparticle_set import SMALL_SET


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "set"
    assert make_set(folder, SMALL_SET) == 5
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "set")


def test_a_set_gives_back_images_numbers_and_columns(whole):
    images = NanoparticleSet(whole)
    assert len(images) == len(images.rows) == 10
    made = image_model(SMALL_SET, 3)
    for i in (0, 1):
        assert images.image(6 + i).dtype == torch.float32
        # float16 of I - 1 has 11 bits.
        largest = float((made.images[i] - 1).abs().max())
        assert float((images.image(6 + i) - made.images[i]).abs().max()) < largest * 2**-11
        written = {key: str(value) for key, value in made.rows[i].items()}
        assert {key: str(value) for key, value in images.rows[6 + i].items()} == written
    assert images.rows[6]["model"] == 3
    columns = images.columns(6)
    assert torch.allclose(columns.positions, made.columns.positions, atol=6e-5)
    assert columns.region_names == made.columns.region_names
    assert torch.equal(columns.atoms, made.columns.atoms)
    assert torch.equal(columns.surface, made.columns.surface)


def test_all_images_of_a_model_are_in_one_split(whole):
    images = NanoparticleSet(whole)
    assert images.split("train") == [0, 1, 2, 3, 4, 5]
    assert images.split("validation") == [6, 7]
    assert images.split("test") == [8, 9]


def test_columns_lie_where_overfocus_has_bright_spots(whole):
    images = NanoparticleSet(whole)
    reach = torch.arange(-3, 4)
    offsets = []
    for i, row in enumerate(images.rows):
        if row["defocus_um"] > -0.004:
            continue
        columns, image = images.columns(i), images.image(i)
        counts = (columns.atomic_numbers > 20) & (columns.atoms > 2)
        for x, y in columns.positions[counts].tolist():
            left, top = round(x), round(y)
            if not (4 <= left < 60 and 4 <= top < 60):
                continue
            spot = image[top - 3 : top + 4, left - 3 : left + 4]
            spot = (spot - spot.mean()).clamp(min=0)
            spot = spot / spot.sum()
            middle = float((spot.sum(0) * reach).sum()), float((spot.sum(1) * reach).sum())
            offsets.append((middle[0] + left - x, middle[1] + top - y))
    assert len(offsets) > 30
    found = torch.tensor(offsets)
    assert float(found.abs().median()) < 0.5
    # A frame of pixels that is off by one would show.
    assert (found.median(0).values.abs() < 0.15).all()


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_set(whole, tmp_path):
    folder = tmp_path / "set"

    def stopped(numbers, total):
        for i, number in enumerate(numbers):
            if i == 2:
                raise KeyboardInterrupt
            yield number

    with pytest.raises(KeyboardInterrupt):
        make_set(folder, SMALL_SET, stopped)
    with pytest.raises(InputError, match=r"manifest\.csv: is missing, the set is not complete"):
        NanoparticleSet(folder)
    seen = []

    def watched(numbers, total):
        seen.extend(numbers)
        return seen

    assert make_set(folder, SMALL_SET, watched) == 3
    assert seen == [2, 3, 4]
    for path in sorted(whole.rglob("*")):
        if path.is_file():
            assert (folder / path.relative_to(whole)).read_bytes() == path.read_bytes(), path
    assert make_set(folder, SMALL_SET) == 0


def test_a_larger_number_of_models_extends_a_set(folder):
    before = (folder / "manifest.csv").read_text("utf-8")
    assert make_set(folder, SMALL_SET.resized(6)) == 1
    images = NanoparticleSet(folder)
    assert len(images) == 12
    assert (folder / "manifest.csv").read_text("utf-8").startswith(before)
    assert make_set(folder, SMALL_SET) == 0
    assert len(NanoparticleSet(folder)) == 12


def test_a_set_of_another_recipe_is_not_gone_on_with(folder):
    other = replace(SMALL_SET, imaging=replace(SMALL_SET.imaging, cs_mm=0.0))
    with pytest.raises(InputError, match=r"holds a set with nanoparticles\.imaging\.cs_mm = -0\.0"):
        make_set(folder, other)
    with pytest.raises(InputError, match=r"models\.shapes\[1\] = cuboctahedron, now it is None"):
        make_set(
            folder, replace(SMALL_SET, models=replace(SMALL_SET.models, shapes=("octahedron",)))
        )


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(InputError, match="is not empty and holds no nanopart"):
        make_set(tmp_path, SMALL_SET)
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


RECIPE = "nanoparticles.yaml"


def edit(name, change):
    def spoil(folder):
        path = folder / name
        path.write_text(change(path.read_text("utf-8")), "utf-8")

    return spoil


def drop_line(text):
    return text[: text.rstrip().rindex("\n") + 1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "images.zarr/7.0.0").unlink(), "1 images of the manifest are missing, the"),
        (lambda f: (f / "columns/000002.csv").unlink(), r"000002\.csv: is missing"),
        (lambda f: (f / "manifest.csv").unlink(), r"manifest\.csv: is missing"),
        (lambda f: (f / "nanoparticles.yaml").unlink(), "holds no nanoparticles.yaml"),
        (lambda f: (f / "images.zarr/.zarray").write_text("{"), "images.zarr: not an array of zar"),
        (edit("manifest.csv", drop_line), "has 9 images, 5 models with 2 each make 10"),
        (edit("manifest.csv", lambda t: t.replace("\n3,1,", "\n3,2,")), "line 5: expected image 3"),
        (edit("manifest.csv", lambda t: t.replace(",test,", ",train,")), "must be test, got train"),
        (edit("manifest.csv", lambda t: t.replace("split", "part")), "has no column split"),
        (edit(RECIPE, lambda t: t.replace("size: 64", "size: 62")), "the recipe says 62"),
        (edit(RECIPE, lambda t: t.replace("version 1", "version 0")), "made another way"),
        (edit(RECIPE, lambda t: t.replace("seed: 0", "seed: -1")), "seed must be at"),
    ],
)  # fmt: skip
def test_a_set_with_something_missing_or_contradictory_is_refused_in_one_line(
    folder, spoil, message
):
    spoil(folder)
    with pytest.raises(InputError, match=message) as raised:
        NanoparticleSet(folder)
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)


def test_an_image_that_is_cut_short_is_named(folder):
    images = NanoparticleSet(folder)
    chunk = folder / "images.zarr/4.0.0"
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(InputError, match=r"images\.zarr: image 4 cannot be read"):
        images.image(4)


def test_missing_images_are_made_again(folder):
    expected = NanoparticleSet(folder).image(7)
    (folder / "images.zarr/7.0.0").unlink()
    assert make_set(folder, SMALL_SET) == 1
    assert torch.equal(NanoparticleSet(folder).image(7), expected)
