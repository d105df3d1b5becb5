from lightning.pytorch.loggers import WandbLogger

from difftem.cli.run_names import name_run, run_names

OPTIONS = {
    "config": ["experiments/mtf_recovery/k3.yaml", "mine/short.yaml"],
    "model": {"class_path": "difftem.tasks.mtf_fit.MTFFit", "init_args": {"loss": "psd"}},
    "data": {
        "class_path": "difftem.data.flat_field.SyntheticFlatFields",
        "init_args": {"mtf": "k3_300kv"},
    },
}


def test_a_run_is_named_after_experiment_configurations_task_loss_and_preset():
    assert run_names(OPTIONS) == {
        "name": "mtf_recovery/k3+short psd",
        "group": "mtf_recovery",
        "tags": ["mtf_recovery", "k3", "short", "MTFFit", "psd", "SyntheticFlatFields", "k3_300kv"],
    }


def test_a_run_without_configurations_is_named_after_its_task():
    names = run_names({"config": None, "model": OPTIONS["model"]})
    assert names == {"name": "MTFFit psd", "group": "MTFFit", "tags": ["MTFFit", "psd"]}


def test_a_run_made_again_from_its_own_file_is_named_after_its_folder():
    assert run_names({"config": ["runs/fit/version_3/config.yaml"]})["name"] == "version_3"


def test_what_the_user_names_stays(monkeypatch):
    monkeypatch.setenv("WANDB_TAGS", "mine")
    logger = WandbLogger("first try", project="difftem", offline=True, group=None)
    name_run(logger, run_names(OPTIONS))
    kept = {key: logger._wandb_init.get(key) for key in ("name", "project", "group", "tags")}
    assert kept == {
        "name": "first try", "project": "difftem", "group": "mtf_recovery", "tags": None,
    }  # fmt: skip
    named = WandbLogger(offline=True, group="my group", tags=["mine"])
    monkeypatch.delenv("WANDB_TAGS")
    name_run(named, run_names(OPTIONS))
    assert (named._wandb_init["group"], named._wandb_init["tags"]) == ("my group", ["mine"])
    assert named._wandb_init["name"] == "mtf_recovery/k3+short psd"


def test_wandb_is_not_handed_a_setting_that_it_warns_of_unless_it_is_made():
    unset, made = WandbLogger(offline=True), WandbLogger(offline=True, anonymous=True)
    for logger in (unset, made):
        name_run(logger, run_names(OPTIONS))
    assert "anonymous" not in unset._wandb_init
    assert made._wandb_init["anonymous"] == "allow"
