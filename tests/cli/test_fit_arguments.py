import re

import pytest

from difftem.cli.main import main
from tests.helpers.fit import TMV, config

SMALL = ["--data.init_args.size", "64", "--data.init_args.n", "4"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.yaml"], r"none\.yaml"),
        (
            ["--config", str(TMV), "--model.init_args.loss", "mse"],
            "loss: expected one of whittle, psd, ffl",
        ),
        (
            ["--config", str(TMV), "--model.init_args.gain", "-1"],
            "error: gain must be positive, got -1",
        ),
        (
            ["--config", str(TMV), "--data.init_args.sise", "64"],
            r"args\.sise'.* 'data\.init_args\.size'\?$",
        ),
        (["--config", str(TMV), "--data.sise", "64"], r"args\.sise'.* 'data\.init_args\.size'\?$"),
        (["--config", str(TMV), "--data.n", "many"], "args.n: expected a whole number, got 'many'"),
        (["--config", str(TMV), "--trainer.max_epoch", "3"], r"did you mean 'trainer\.max_epochs'"),
        (["--config", str(TMV), "--model.init_args.gain"], "--model.init_args.gain needs a value"),
        (["--config", str(TMV), "mine.yaml"], "unexpected 'mine.yaml'"),
        (["--config", str(TMV), "--data", "difftem.data.flat_fields.FlatField"], "SyntheticFlatF"),
        (["--config", str(TMV), "--model", "my_tsk.Mine"], r"'my_tsk': there is no my_tsk\.py in"),
        (
            ["--config", str(TMV), "--model", "difftem.modules.mtf.IdealMTF"],
            r"model\.class_path: difftem\.modules\.mtf\.IdealMTF is no LightningModule",
        ),
        (
            ["--config", str(TMV), "--model.init_args.mtf.init_args.alhpa", "7"],
            r"unknown key 'model\.init_args\.mtf\.init_args\.alhpa'; did you mean '.*\.alpha'",
        ),
        (
            ["--config", str(TMV), "--model.init_args.mtf", "difftem.modules.mtf.LogSplineMTF"],
            "required: log_values$",
        ),
        (["--config", str(TMV), "--data.init_args.mtf", "k9"], "error: mtf_parameters .* 'k9'$"),
        (["--config", str(TMV), "--ckpt_path", "none.ckpt"], r"none\.ckpt"),
        (["--config", str(TMV), "--trainer.devices", "x"], "error: trainer: `devices` selected"),
        (
            ["--config", str(TMV), "--trainer.devices", "4999"],
            "at most .*, got 4999",
        ),
        (["--config", str(TMV), "--trainer.accelerator", "gpuu"], "trainer: .* accelerator name"),
        (["--config", str(TMV), "--seed_everything", "-5"], "seed_everything must be within 0 and"),
        (["--config", str(TMV), "--data.init_args.size", "2"], "error: size must be at least 16 p"),
        (["--config", str(TMV), "--data.init_args.n", "100000000000"], "must make at most 1e.11 p"),
        (["--config", str(TMV), "--lr_scheduler", "{init_args: {}}"], "r must hold class_path and"),
        (
            ["--config", str(TMV), "--trainer.callbacks", "{dict_kwargs: {}}"],
            "must hold class_",
        ),
        (
            ["--config", str(TMV), "--trainer.plugins", "{init_args: {}}"],
            "plugins must hold class",
        ),
        (["--config", str(TMV), "--data.init_args.dose", "1e-9"], "crop 0 of batch 0 is constant"),
        (
            ["--config", str(TMV), "--data.init_args.gain", "1e-3"],
            "is 1, that of the data 0.001",
        ),
    ],
)
def test_bad_configurations_give_one_line_and_exit_code_2(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *arguments[:2], *SMALL, *arguments[2:], "--trainer.logger", "false"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("difftem:")]
    assert len(errors) == 1
    assert re.search(message, errors[0]), errors[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("", "mine.yaml: expected keys and values, got nothing"),
        ("hello", "mine.yaml: expected keys and values, got str"),
        ("a: [1,\n b: }", "mine.yaml: not a YAML file: while parsing"),
        ("data: null", "mine.yaml: no model, which must have class_path and init_args"),
        (("model:", "modle:"), "mine.yaml: unknown key 'modle'; did you mean 'model'?"),
        (("gain:", "gian:"), "mine.yaml: unknown key 'model.init_args.gian'; did you mean 'mod"),
        (("dose:", "dsoe:"), "mine.yaml: unknown key 'data.init_args.dsoe'; did you mean 'data"),
        (("MTFFit", "MTFFitt"), "'MTFFitt'; did you mean 'difftem.tasks.mtf_fit.MTFFit'?"),
        (("dose: 22.0", "dose: many"), "mine.yaml: data.init_args.dose: expected a number, got 'm"),
        (("max_epochs:", "max_epoch:"), "mine.yaml: unknown key 'trainer.max_epoch'; did you mea"),
    ],
)
def test_bad_yaml_files_are_named_with_the_nearest_key(tmp_path, capsys, change, message):
    path = config(tmp_path).rename(tmp_path / "mine.yaml")
    text = path.read_text("utf-8")
    path.write_text(change if isinstance(change, str) else text.replace(*change), "utf-8")
    assert main(["fit", "--config", str(path)]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("difftem:")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "run").exists()


def test_a_task_without_data_is_refused_unless_it_brings_its_own(tmp_path, monkeypatch, capsys):
    (tmp_path / "task_without_data.py").write_text(
        "from lightning import LightningModule\nclass Mine(LightningModule): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["fit", "--model", "task_without_data.Mine", "--trainer.logger", "false"]) == 2
    assert (
        "no data are configured, and the model has no train_dataloader" in capsys.readouterr().err
    )
