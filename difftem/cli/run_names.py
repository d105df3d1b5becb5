"""Name, group and tags of a run in W&B, from its configuration."""

import os
from pathlib import Path
from typing import Any

_LONGEST = 64  # characters of a tag, of W&B
_OWN_FILE = "config.yaml"  # of a run that is made again: its folder says more than its name


def run_names(options: dict[str, Any]) -> dict[str, Any]:
    """Derive what tells a run from others.

    Parameters
    ----------
    options : dict
        Resolved values of ``difftem fit``: ``config`` (its files), ``model``, ``data`` ...

    Returns
    -------
    dict
        ``name`` (experiment, configuration and loss), ``group`` (experiment: the folder of the
        first configuration, or the task) and ``tags`` (experiment, configuration, task, loss,
        data module, preset of the camera).

    Examples
    --------
    >>> model = {"class_path": "difftem.tasks.mtf_fit.MTFFit", "init_args": {"loss": "psd"}}
    >>> names = run_names({"config": ["experiments/mtf_recovery/tmv.yaml"], "model": model})
    >>> names["name"], names["group"]
    ('mtf_recovery/tmv psd', 'mtf_recovery')
    >>> names["tags"]
    ['mtf_recovery', 'tmv', 'MTFFit', 'psd']
    """
    files = [Path(str(each)).resolve() for each in options.get("config") or ()]
    task, data = (_class_name(options.get(part)) for part in ("model", "data"))
    group = files[0].parent.name if files else task
    stems = [each.stem for each in files if each.name != _OWN_FILE]
    loss = _text(options.get("model"), "loss")
    preset = _text(options.get("data"), "mtf", "preset", "detector")
    name = " ".join(filter(None, ["/".join(filter(None, [group, "+".join(stems)])), loss]))
    tags = [group, *stems, task, loss, data, preset]
    return {
        "name": name,
        "group": group,
        "tags": list(dict.fromkeys(each[:_LONGEST] for each in tags if each)),
    }


def name_run(logger: Any, names: dict[str, Any]) -> None:
    """Give a run of W&B names where neither the configuration nor the environment has one.

    Parameters
    ----------
    logger : WandbLogger
        Whose run has not begun.
    names : dict
        From `run_names`.
    """
    given = logger._wandb_init  # Lightning has no public way in after it was made
    for key, variable in (("name", "NAME"), ("group", "RUN_GROUP"), ("tags", "TAGS")):
        if not given.get(key) and not os.environ.get(f"WANDB_{variable}"):
            given[key] = names[key]
    # Lightning hands it on unset, too, and W&B, where it does nothing any more, warns of it.
    if given.get("anonymous") is None:
        given.pop("anonymous", None)


def _class_name(section: Any) -> str:
    """Class of a section without its modules."""
    path = section.get("class_path", "") if isinstance(section, dict) else ""
    return str(path).rpartition(".")[2]


def _text(section: Any, *names: str) -> str:
    """First argument of these names that is a word."""
    arguments = section.get("init_args") if isinstance(section, dict) else None
    for name in names:
        value = (arguments or {}).get(name)
        if isinstance(value, str):
            return Path(value).stem
    return ""
