"""Every configuration of `difftem fit` that an experiment holds runs, and every study expands."""

import json
from pathlib import Path

import pytest
import yaml

from difftem.cli.main import main
from difftem.io.mrc import write_mrc
from difftem.simulation.nanoparticles.make_set import make_set
from experiments.run import DONE, execute, read_study
from experiments.run import main as main_of_studies
from tests.helpers.flat_fields import flat_fields
from tests.helpers.nanoparticle_set import SMALL_SET

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
YAML = sorted(EXPERIMENTS.glob("*/*.yaml"))
CONTENT = {path: yaml.safe_load(path.read_text("utf-8")) for path in YAML}
FITS = [path for path, content in CONTENT.items() if "model" in content]
STUDIES = [
    path for path, content in CONTENT.items() if "axes" in content and "program" not in content
]
PROGRAMS = [path for path, content in CONTENT.items() if "program" in content]

ATOM = "ATOM      1  C   ALA A   1       0.000   0.000   0.000  1.00 20.00           C\n"
FEW_CROPS = ["--data.init_args.size", "64", "--data.init_args.n", "2"]
BANK = {"folder": "bank", "bank.size": 64, "bank.n_items": 2, "bank.validation_every": 2}
BANK |= {"bank.shares": "{phantom: 1.0}", "bank.padding": 8, "crop": 64}
SCENES = {"structures": ".", "scenes": 1, "validation_scenes": 1, "size": 64}
WIDE = "sbd_training"
SMALL = {
    "difftem.data.nanoparticles.Nanoparticles": ["--data.init_args.folder", "set"],
    "difftem.data.simulated_pairs.SimulatedPairs": [
        word for key, value in BANK.items() for word in (f"--data.init_args.{key}", str(value))
    ],
    "experiments.denoise_dose.scene_pairs.SettingPairs": [
        word for key, value in SCENES.items() for word in (f"--data.init_args.{key}", str(value))
    ],
    "difftem.data.field_exposures.FieldExposures": ["--data.init_args.paths", "micrograph.mrc"],
}


def name(path):
    return "/".join(path.parts[-2:])


def small_data(path):
    """Options that make the data of a configuration, or of the file that it names, small."""
    data = CONTENT[path]["data"]
    if isinstance(data, str):
        data = yaml.safe_load((path.parent / data).read_text("utf-8"))
    return SMALL.get(data["class_path"], FEW_CROPS)


def small_network(path):
    """Options that make wide networks narrow."""
    network = CONTENT[path]["model"]["init_args"].get("network", {})
    channels = network.get("init_args", {}).get("channels") if path.parent.name == WIDE else None
    if channels is None:
        return []
    narrow = [6] * len(channels) if isinstance(channels, list) else 6
    return ["--model.init_args.network.init_args.channels", json.dumps(narrow)]


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "set"
    make_set(folder, SMALL_SET)
    return folder


@pytest.mark.parametrize("path", FITS, ids=name)
def test_a_configuration_runs(path, tmp_path, small_set, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("2OM3.pdb").write_text(ATOM, "utf-8")
    write_mrc("micrograph.mrc", flat_fields(1, 256, rate=20.0)["images"][0].numpy(), 1.0)
    if path.parent.name == WIDE:
        Path("set").symlink_to(small_set)
    small = [*small_data(path), *small_network(path)]
    quiet = ["--trainer.fast_dev_run", "true", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", "--config", str(path), *small, *quiet]) == 0
    assert not list(tmp_path.rglob("report.md"))


@pytest.mark.parametrize("path", STUDIES, ids=name)
def test_a_study_expands_into_runs_of_their_own_folders(path, tmp_path):
    runs = read_study(path, tmp_path)
    assert len({run.folder for run in runs}) == len(runs) > 1
    assert all(Path(run.arguments[1]).is_file() for run in runs)


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_a_file_of_axes_runs_the_program_that_it_names(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run", str(path), "--help"])
    with pytest.raises(SystemExit) as ended:
        main_of_studies()
    assert ended.value.code == 0
    assert "--wandb" in capsys.readouterr().out


def test_a_run_is_made_once_and_says_what_fails(tmp_path):
    study = yaml.safe_load((EXPERIMENTS / "mtf_recovery/drift.yaml").read_text("utf-8"))
    for values in study["axes"]["set"].values():
        values["configs"] = [str(EXPERIMENTS / "mtf_recovery" / c) for c in values["configs"]]
    study["options"] |= {"data.init_args.size": 64}
    study["axes"]["n"] = {"n2": {"options": {"data.init_args.n": 2}}}
    study["axes"]["seed"] = {"seeds": 1, "option": "data.init_args.seed"}
    study["axes"]["loss"] = {
        "whittle": {"options": {"model.init_args.loss": "whittle"}},
        "wrong": {"options": {"model.init_args.loss": "none"}},
    }
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study), "utf-8")
    good, bad = read_study(path, tmp_path / "runs")
    assert execute(good) is None
    seconds = json.loads((good.folder / DONE).read_text("utf-8"))["seconds"]
    assert seconds > 0
    stamp = (good.folder / "metrics.csv").stat().st_mtime_ns
    assert execute(good) is None
    assert (good.folder / "metrics.csv").stat().st_mtime_ns == stamp
    assert "one of whittle, psd, ffl_pairwise" in str(execute(bad))
    assert not (bad.folder / DONE).exists()
