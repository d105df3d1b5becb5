"""Trainings of an experiment, one after the other: each is made once, and goes on after a stop."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments._base.score_cache import digest

DONE, WEIGHTS = "done.json", "network"
_TIMED, _FIRST = 24, 6  # steps that tell how long one takes, and those before that do not count
_QUIET = {"class_path": "experiments._base.step_clock.NoReport"}
_EMA = 0.02  # of the training is what averaged weights remember


@dataclass(frozen=True)
class Leg:
    """One training of `difftem fit`.

    Attributes
    ----------
    folder : Path
        Where it goes.
    config : Path
        Of network, task and data.
    options : dict
        Of the command line, over the configuration.
    minutes : float or None
        CPU time of the process that its steps are to take; steps are counted out before.
    steps : int, optional
        Instead of that.
    """

    folder: Path
    config: Path
    options: Mapping[str, Any]
    minutes: float | None
    steps: int | None = None

    @property
    def weights(self) -> Path:
        """File of what it has learnt."""
        return self.folder / f"{WEIGHTS}.safetensors"

    @property
    def clock(self) -> Path:
        """File of the CPU time."""
        return self.folder / "clock.json"

    @property
    def identity(self) -> str:
        """Name for what is trained, but not for how long it has been."""
        length = self.minutes if self.steps is None else {"steps": self.steps}
        return digest(self.config.read_text("utf-8"), dict(self.options), length)

    def done(self) -> dict[str, Any] | None:
        """Read what was noted at its end; None if it was not reached, or of another training."""
        path = self.folder / DONE
        found = json.loads(path.read_text("utf-8")) if path.is_file() else None
        return found if found and found["identity"] == self.identity else None


def train(leg: Leg) -> dict[str, Any]:
    """Make a training unless it is done.

    Parameters
    ----------
    leg : Leg
        Which.

    Returns
    -------
    dict
        ``steps``, ``cpu_seconds`` of all of it; ``step_seconds`` where they were timed before.
    """
    found = leg.done()
    if found is not None:
        return found
    leg.folder.mkdir(parents=True, exist_ok=True)
    plan = leg.folder / "plan.json"
    known = json.loads(plan.read_text("utf-8")) if plan.is_file() else {}
    if known.get("identity") != leg.identity:
        (leg.folder / "last.ckpt").unlink(missing_ok=True)
        known = {"identity": leg.identity, **_length(leg)}
        plan.write_text(json.dumps(known) + "\n", "utf-8")
    last = leg.folder / "last.ckpt"
    again = ["--ckpt_path", str(last)] if last.is_file() else []
    _fit(leg, known["steps"], _callbacks(leg, known["steps"]), again)
    found = known | {"cpu_seconds": json.loads(leg.clock.read_text("utf-8"))["cpu_seconds"]}
    (leg.folder / DONE).write_text(json.dumps(found) + "\n", "utf-8")
    last.unlink(missing_ok=True)
    return found


def _length(leg: Leg) -> dict[str, Any]:
    if leg.steps is not None:
        return {"steps": leg.steps}
    if leg.minutes is None:
        raise ValueError("minutes or steps must be given, got neither")
    seconds = step_seconds(leg)
    steps = max(10, round(60 * leg.minutes / seconds))
    return {"steps": steps, "step_seconds": round(seconds, 5)}


def step_seconds(leg: Leg) -> float:
    """CPU time of a step, its images included: the mean of a few after the first ones."""
    _fit(leg, _TIMED, [_clock(leg), _QUIET], [])
    times = json.loads(leg.clock.read_text("utf-8"))["steps"]
    return float(times[-1] - times[_FIRST]) / (len(times) - 1 - _FIRST)


def _clock(leg: Leg) -> dict[str, Any]:
    path = {"path": str(leg.clock)}
    return {"class_path": "experiments._base.step_clock.StepClock", "init_args": path}


def _callbacks(leg: Leg, steps: int) -> list[dict[str, Any]]:
    return [
        _clock(leg),
        {
            "class_path": "lightning.pytorch.callbacks.EMAWeightAveraging",
            "init_args": {"decay": round(1 - 1 / max(2.0, _EMA * steps), 5)},
        },
        {
            "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
            "init_args": {
                "dirpath": str(leg.folder),
                "save_last": True,
                "save_top_k": 0,
                "every_n_train_steps": max(1, steps // 4),
            },
        },
        {
            "class_path": "difftem.workflows.denoise.export_weights.ExportWeights",
            "init_args": {"name": WEIGHTS, "folder": str(leg.folder)},
        },
        _QUIET,
    ]


def _fit(leg: Leg, steps: int, callbacks: Sequence[dict[str, Any]], more: Sequence[str]) -> None:
    """Run `difftem fit` in this process, in one thread."""
    import torch

    from difftem.cli.fit import main

    torch.set_num_threads(1)
    options = {
        "trainer.max_steps": steps,
        "trainer.max_time": "null",
        "trainer.val_check_interval": steps,
        "trainer.check_val_every_n_epoch": "null",
        "trainer.num_sanity_val_steps": 0,
        "trainer.limit_val_batches": 1 if len(callbacks) > 2 else 0,  # scored elsewhere
        "trainer.enable_progress_bar": False,
        "trainer.enable_checkpointing": any(
            "ModelCheckpoint" in c["class_path"] for c in callbacks
        ),
        "trainer.logger": False,
        "trainer.default_root_dir": str(leg.folder),
        "trainer.callbacks": list(callbacks),
        **leg.options,
    }
    words = [
        f"--{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in options.items()
    ]
    main(["fit", "--config", str(leg.config), *words, *more])
