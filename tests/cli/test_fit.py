import contextlib
import csv
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from difftem.cli.main import main
from difftem.tasks.mtf_fit import MTFFit
from tests.helpers.fit import config
from tests.helpers.flat_fields import off_start, tmv_curve

ROOT = Path(__file__).parents[2]


def test_a_configuration_is_fitted_and_its_checkpoint_tested_on_other_crops(tmp_path, capsys):
    path = config(tmp_path)
    assert main(["fit", "--config", str(path)]) == 0
    run = tmp_path / "run"
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("fit: ")]
    assert line.endswith(f"; report: {run / 'report.md'}")
    with (run / "mtf_curve.csv").open() as file:
        curve = {row["frequency"]: row for row in csv.DictReader(file)}
    for name, row in (("0.25", curve["0.25"]), ("0.5", curve["0.5"])):
        value, error = re.search(rf"NTF\({name}/pixel\) = (\S+) ± (\S+),", line).groups()
        assert float(value) == pytest.approx(float(row["ntf"]), abs=0.06 * float(error))
        assert float(error) == pytest.approx(float(row["standard_error"]), rel=0.06)
    assert re.search(r"s0 = \S+ grey values²", line)
    resolved = yaml.safe_load((run / "config.yaml").read_text("utf-8"))
    assert resolved["model"]["init_args"]["loss"] == "whittle"
    assert "χ²" in (run / "report.md").read_text("utf-8")
    checkpoint = run / "checkpoints/last.ckpt"
    task = MTFFit.load_from_checkpoint(checkpoint, mtf=off_start())
    assert (task.result().curve - tmv_curve(task.result().frequency)).abs().max() < 0.05
    capsys.readouterr()
    other = ["--data.init_args.seed", "7", "--ckpt_path", str(checkpoint)]
    assert main(["test", "--config", str(run / "config.yaml"), *other]) == 0
    with (run / "metrics.csv").open() as file:
        tested = [row for row in csv.DictReader(file) if row.get("test/p_value")]
    assert float(tested[-1]["test/p_value"]) > 1e-4


@pytest.mark.slow
def test_a_fit_stopped_by_ctrl_c_goes_on_from_its_checkpoint(tmp_path):
    path = config(tmp_path, max_epochs=-1, max_steps=100000)
    psd = ["--model.init_args.loss", "psd"]
    command = [sys.executable, "-m", "difftem", "fit", "--config", str(path), *psd]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    errors = None
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        # The folder of checkpoints appears after the first epoch.
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("run/checkpoints/*.ckpt")) and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)
        time.sleep(1.0)
        for _ in range(6):  # Python drops a signal that comes while it cleans up an object
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                _, errors = process.communicate(timeout=20)
                break
        process.kill()  # does nothing to one that has ended
    assert process.returncode == 130
    assert "Traceback" not in errors
    hint = re.search(r"go on with --ckpt_path (\S+)", errors)
    assert hint is not None, errors
    last = ROOT / hint[1]
    stopped = torch.load(last, weights_only=True)
    assert 0 < stopped["global_step"] < 100000
    more = ["--trainer.max_steps", str(stopped["global_step"] + 20), "--ckpt_path", str(last)]
    assert main(["fit", "--config", str(path), *psd, *more]) == 0
    done = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert done["global_step"] == stopped["global_step"] + 20


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Folder of a fit by psd of two steps: its configuration and its checkpoint."""
    folder = tmp_path_factory.mktemp("fitted")
    path = config(folder, max_steps=2)
    assert main(["fit", "--config", str(path), "--model.init_args.loss", "psd"]) == 0
    return path, folder / "run/checkpoints/last.ckpt"


@pytest.mark.parametrize("command", ["fit", "test"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["loss", "whittle"], "model.init_args.loss is 'psd' in this checkpoint, 'whittle' in the"),
        (["gain", "3"], "model.init_args.gain is 1.0 in this checkpoint, 3.0 in the"),
        (["mtf.init_args.alpha", "7"], "model.init_args.mtf.init_args.alpha is 5.0 in this check"),
        (["mtf", "difftem.modules.mtf.RullgardMTF"], "model.init_args.mtf.class_path is 'difftem"),
    ],
)
def test_a_checkpoint_does_not_overrule_options_that_are_given(
    fitted, capsys, command, options, message
):
    path, checkpoint = fitted
    given = ["--model.init_args.loss", "psd", f"--model.init_args.{options[0]}", options[1]]
    assert main([command, "--config", str(path), *given, "--ckpt_path", str(checkpoint)]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("difftem:")]
    assert len(errors) == 1
    assert f"{checkpoint}: {message}" in errors[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda saved: saved.clear(), "not a checkpoint of Lightning: no state_dict in it"),
        (
            lambda saved: saved["state_dict"].update(more=torch.zeros(3)),
            "more is (3,) in this checkpoint, missing in the configuration's model",
        ),
        (
            lambda saved: saved["state_dict"].pop(next(iter(saved["state_dict"]))),
            "is missing in this checkpoint, () in the configuration's model",
        ),
    ],
)
def test_a_checkpoint_of_another_model_is_named(fitted, tmp_path, capsys, change, message):
    path, checkpoint = fitted
    saved = torch.load(checkpoint, weights_only=True)
    change(saved)
    torch.save(saved, tmp_path / "other.ckpt")
    given = ["--model.init_args.loss", "psd", "--ckpt_path", str(tmp_path / "other.ckpt")]
    assert main(["test", "--config", str(path), *given]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("part", [b"garbage" * 100, b"", 0.5])
def test_a_file_that_is_no_whole_checkpoint_is_named(fitted, tmp_path, capsys, part):
    path, checkpoint = fitted
    if isinstance(part, float):
        whole = checkpoint.read_bytes()
        part = whole[: int(part * len(whole))]
    (tmp_path / "junk.ckpt").write_bytes(part)
    given = ["--ckpt_path", str(tmp_path / "junk.ckpt")]
    assert main(["fit", "--config", str(path), *given]) == 2
    assert "junk.ckpt: not a checkpoint, or not a whole one" in capsys.readouterr().err


def test_a_model_that_was_not_fitted_is_not_tested(tmp_path, capsys):
    assert main(["test", "--config", str(config(tmp_path))]) == 2
    assert "test needs --ckpt_path" in capsys.readouterr().err


def test_the_configuration_of_a_user_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = config(tmp_path, logger=False, enable_checkpointing=False, max_steps=1)
    short = ["--model.init_args.loss", "psd"]
    before = path.read_text("utf-8")
    assert main(["fit", "--config", "config.yaml", *short]) == 0
    assert path.read_text("utf-8") == before
    path.rename("mine.yaml")
    path.write_text("notes: of another program\n", "utf-8")
    assert main(["fit", "--config", "mine.yaml", *short]) == 0
    assert path.read_text("utf-8") == "notes: of another program\n"
    path.unlink()
    for seed in (1, 2):  # the file of an earlier run is replaced
        assert main(["fit", "--config", "mine.yaml", "--seed_everything", str(seed), *short]) == 0
        assert yaml.safe_load(path.read_text("utf-8"))["seed_everything"] == seed


def test_a_test_leaves_no_configuration(fitted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, checkpoint = fitted
    given = ["--model.init_args.loss", "psd", "--ckpt_path", str(checkpoint)]
    assert main(["test", "--config", str(path), *given, "--trainer.logger", "false"]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["validate", "predict"])
def test_loops_that_no_task_has_are_not_offered(tmp_path, capsys, command):
    assert main([command, "--config", str(config(tmp_path))]) == 2
    assert f"unknown command {command!r}, expected one of" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert command not in capsys.readouterr().out


def test_the_folder_that_a_user_gives_wins_over_that_of_the_loggers(tmp_path, monkeypatch):
    path = config(tmp_path / "run", max_steps=1)
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--config", str(path), "--trainer.default_root_dir", "mine"]) == 0
    assert (tmp_path / "mine/run/report.md").is_file()
    assert not (tmp_path / "run/run").exists()


def test_help_names_the_projects_classes_in_one_line_each(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    for name in (
        "difftem.tasks.mtf_fit.MTFFit\n      Fit the MTF of a detector",
        "difftem.data.real_crops.RealCrops\n      Background crops",
        "difftem.modules.RullgardMTF\n      Two generalised",
    ):
        assert name in text
    assert "<class" not in text


def records(path):
    """Read the entries of an offline run, framed as in LevelDB's log."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, position, parts = path.read_bytes(), 7, b""  # behind the file's head
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        _, length, kind = struct.unpack("<IHB", data[position : position + 7])
        if position + 7 + length > len(data):
            return  # W&B's process is still writing it
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or last part
            yield Record.FromString(parts)
            parts = b""


def test_an_offline_run_of_wandb_has_curves_traces_panel_and_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logger = {
        "class_path": "lightning.pytorch.loggers.WandbLogger",
        "init_args": {"save_dir": str(tmp_path), "project": "difftem", "offline": True},
    }
    kept = {"enable_checkpointing": False, "default_root_dir": str(tmp_path)}
    path = config(tmp_path, figures=True, logger=[logger], **kept)
    assert main(["fit", "--config", str(path)]) == 0
    import wandb

    wandb.finish()
    (file,) = tmp_path.rglob("run-*.wandb")
    deadline = time.monotonic() + 30
    while True:  # W&B's own process writes the file, a little later
        keys, settings, names = set(), {}, []
        for record in records(file):
            if record.run.run_id:
                names.append((record.run.display_name, record.run.run_group, [*record.run.tags]))
            keys |= {item.key or item.nested_key[0] for item in record.history.item}
            for item in [*record.config.update, *record.run.config.update]:
                settings[item.key or item.nested_key[0]] = json.loads(item.value_json)
        if "fit/mtf" in keys or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert {"fit/mtf", "fit/mtf_curve", "data/crops", "fit/max_error", "mtf/alpha"} <= keys
    assert any(key.startswith("fit/mtf_curve_lines") for key in keys)
    assert settings["config"]["data"]["init_args"]["size"] == 64
    folder = tmp_path.name
    tags = [folder, "MTFFit", "whittle", "SyntheticFlatFields", "lorentzian"]
    assert names[0] == (f"{folder} whittle", folder, tags)
