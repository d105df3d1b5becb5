import pytest
import yaml

from difftem.cli.main import main
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.simulation.settings import plain
from difftem.workflows.generate.nanoparticles import generate_nanoparticles
from tests.helpers.nanoparticle_set import SMALL_SET


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({"nanoparticles": plain(SMALL_SET.resized(1))}), "utf-8")
    return path


def test_the_command_makes_a_set_extends_it_and_says_what_is_there(recipe, tmp_path, capsys):
    folder = tmp_path / "set"
    assert main(["generate", str(recipe), "--output", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"wrote {folder}: 2 images of 1 model; 2 images made" in said
    assert "split: 2 train" in said
    more = ["generate", str(recipe), "--nanoparticles.n_models", "2", "--output", str(folder)]
    assert main(more) == 0
    assert "4 images of 2 models; 2 images made" in capsys.readouterr().out
    # The record of a set makes it again.
    again = ["generate", str(folder / "nanoparticles.yaml"), "--output", str(folder)]
    assert main(again) == 0
    assert "4 images of 2 models; none made" in capsys.readouterr().out


def test_python_gives_what_the_command_does(recipe, tmp_path):
    made = generate_nanoparticles(tmp_path / "set", config=recipe, n_defocus=1)
    assert made.made == len(made.images) == 1
    assert made.figure().axes[0].get_title().startswith("0: ")
    copy = made.save(tmp_path / "copy")
    assert len(NanoparticleSet(copy)) == 1
    manifests = [(each / "manifest.csv").read_bytes() for each in (copy, tmp_path / "set")]
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_models": 0}, "n_models must be at least 1, got 0"),
        ({"n_model": 3}, "unknown key 'nanoparticles.n_model'; did you mean"),
        ({"imaging": {"blur": [0.6, 0.4]}}, "blur must be two numbers, the lower first"),
        ({"imaging": {"defocus_um": [-20, 0]}}, "defocus_um must be from -1 to 1, got -20"),
        ({"imaging": {"size": "large"}}, "nanoparticles.imaging.size: expected a whole number"),
        ({"imaging": {"size": 65}}, "size must be even, got 65"),
        ({"imaging": {"size": 480}}, "need a field of 71.77 Å, models.field is 56 Å"),
        ({"models": {"shapes": ["cube"]}}, "shapes must be among"),
        ({"validation_every": 1}, "validation_every must be 0 or at least 2, got 1"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(changes, message, tmp_path, capsys):
    path, folder = tmp_path / "recipe.yaml", tmp_path / "set"
    path.write_text(yaml.safe_dump({"nanoparticles": changes}), "utf-8")
    assert main(["generate", str(path), "--output", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("difftem: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not folder.exists()


def test_a_folder_of_something_else_and_a_missing_output_are_refused(recipe, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine", "utf-8")
    assert main(["generate", str(recipe), "--output", str(tmp_path / "full")]) == 2
    assert "is not empty and holds no nanoparticles.yaml" in capsys.readouterr().err
    assert main(["generate", str(recipe)]) == 2
    assert "--output DIR is missing" in capsys.readouterr().err
