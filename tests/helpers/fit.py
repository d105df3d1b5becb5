"""A small configuration of `difftem fit`."""

from pathlib import Path

import yaml

TMV = Path(__file__).parents[2] / "experiments/mtf_recovery/tmv.yaml"


def config(folder, figures=False, **trainer):
    """Write a small configuration of the TMV set that keeps its files in a folder."""
    report = {"class_path": "difftem.callbacks.LogReport", "init_args": {"figures": figures}}
    content = yaml.safe_load(TMV.read_text("utf-8"))
    logger = {
        "class_path": "lightning.pytorch.loggers.CSVLogger",
        "init_args": {"save_dir": str(folder), "name": "run", "version": ""},
    }
    content["trainer"] = {
        "accelerator": "cpu",
        "max_epochs": 2000,
        "log_every_n_steps": 1,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": [logger],
        "callbacks": [report],
        **trainer,
    }
    content["data"]["init_args"] |= {"n": 4, "size": 64}
    folder.mkdir(exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path
