"""`difftem fit | test`: any task with any data, configured in YAML."""

import logging
import os
import sys
import traceback
import warnings
from typing import Any, NoReturn

import yaml
from jsonargparse import SUPPRESS, ActionConfigFile  # type: ignore[attr-defined]  # lazily
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from difftem.callbacks import LogConfig, LogReport
from difftem.cli.checkpoint import (
    check_options,
    check_state,
    checkpoint_file,
    read_checkpoint,
    restoring_error,
)
from difftem.cli.fit_arguments import check_arguments
from difftem.cli.help_text import ParagraphFormatter
from difftem.cli.known_classes import describe_classes, shortest_paths
from difftem.cli.run_folder import given_root, move_loggers
from difftem.cli.run_names import name_run, run_names

FIRST = {
    "fit": "Fit a model to data with Lightning.",
    "test": "Test a fitted model on other data with Lightning.",
}
DESCRIPTION = """

  difftem fit --config experiments/mtf_recovery/tmv.yaml
  difftem fit --config ... --model.init_args.loss psd --data.init_args.n 20
  difftem fit --config ... --ckpt_path RUN/checkpoints/last.ckpt     # go on after Ctrl-C
  difftem test --config RUN/config.yaml --ckpt_path RUN/checkpoints/last.ckpt

Several --config files are merged, the last one wins. A run's folder gets config.yaml, metrics.csv,
report.md, pictures and checkpoints; --trainer.default_root_dir DIR puts it into DIR, also where the
configuration's loggers name another one. Runs of W&B get name, group and tags from the
configuration, unless init_args of the logger (name, group, tags) or WANDB_NAME, WANDB_RUN_GROUP,
WANDB_TAGS say others. --model.help CLASS and --data.help CLASS list arguments."""

TITLES = {"trainer": "Trainer of Lightning", "model": "Task", "data": "Data module"}
TITLES |= {"optimizer": "Optimizer, for tasks without one", "lr_scheduler": "Learning rate"}


class _OneLineLightningParser(LightningArgumentParser):
    """Report a bad command line or configuration as an error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Of the parsers of --model.help, too, whose usage would list every option.
        super().__init__(*args, **{"usage": SUPPRESS, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        where, union, _ = message.partition("Does not validate against any")
        raise ValueError(f"{where}{_cause(ex)}" if union and ex else message) from ex


class _Hint(Callback):
    """Tell how to go on after Ctrl-C."""

    interrupted = False

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Name the checkpoint that is written now."""
        if not isinstance(exception, KeyboardInterrupt):
            return
        _Hint.interrupted = True
        folder = getattr(trainer.checkpoint_callback, "dirpath", None)
        if folder is not None:
            last = os.path.relpath(os.path.join(folder, "last.ckpt"))
            print(f"\ninterrupted; go on with --ckpt_path {last}", file=sys.stderr)


class DifftemCLI(LightningCLI):
    """LightningCLI with this project's parser, callbacks and manners."""

    def __init__(self, arguments: list[str]) -> None:
        self._checkpoint: dict[str, Any] | None = None
        self._arguments = arguments
        super().__init__(
            save_config_callback=LogConfig,
            save_config_kwargs={"overwrite": True},
            parser_class=_OneLineLightningParser,
            parser_kwargs={
                "prog": "difftem",
                "formatter_class": ParagraphFormatter,
                **_parser_options(arguments),
            },
            seed_everything_default=0,
            args=arguments,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Offer what a task of this project can do; the arguments are those of Lightning."""
        return {name: LightningCLI.subcommands()[name] for name in ("fit", "test")}

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Give the groups of options titles for ``--help``, and parse."""
        for each in self._subcommand_parsers.values():
            groups = each.groups or {}
            for name in TITLES.keys() & groups.keys():
                groups[name].title = TITLES[name]
        super().parse_arguments(parser, args)

    def before_instantiate_classes(self) -> None:
        """Let the folder that the user gives win over those of the configuration's loggers."""
        root = given_root(self._arguments)
        if root is not None:
            move_loggers(self._get(self.config, "trainer").logger, root)

    def after_fit(self) -> None:
        """End with a line of results and where they are kept."""
        lines = [each.line for each in _callbacks(self.trainer) if isinstance(each, LogReport)]
        if any(lines):  # of the first process alone
            print(f"fit: {lines[0]}")

    def _parse_ckpt_path(self) -> None:
        """Hold a checkpoint against the configuration, instead of merging its hyper-parameters.

        Lightning merges them, over options of the command line. Here a configuration says the
        whole model, and what the checkpoint's model was made with must be the same.
        """
        subcommand = self.config.get("subcommand")
        options = self.config.get(subcommand, {})
        path = options.get("ckpt_path")
        if subcommand == "test" and not path:
            raise ValueError("test needs --ckpt_path RUN/checkpoints/last.ckpt: a fitted model")
        if options.get("weights_only") is False:
            raise ValueError("weights_only must be true: a checkpoint may hold any code otherwise")
        if subcommand:
            options.weights_only = True
        if path:
            options.ckpt_path = str(checkpoint_file(path))
            self._checkpoint = read_checkpoint(options.ckpt_path)
            dumped = self.parser.dump(self.config, skip_link_targets=False, skip_none=False)
            check_options(path, self._checkpoint, yaml.safe_load(dumped)[subcommand])

    def _run_subcommand(self, subcommand: str) -> None:
        """Run it; what a checkpoint lacks is said of its file."""
        try:
            super()._run_subcommand(subcommand)
        except Exception as error:
            if self._checkpoint is None:
                raise
            raise restoring_error(self.config[subcommand].ckpt_path, error) from error

    def after_instantiate_classes(self) -> None:
        """Refuse a checkpoint whose tensors are not those of the model."""
        if self._checkpoint is not None:
            path = self.config[self.config.subcommand].ckpt_path
            check_state(path, self._checkpoint, self.model)

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Add a report, and a checkpoint for Ctrl-C, where the configuration has none."""
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except Exception as error:  # of values of an allowed type, of any kind
            raise ValueError(f"trainer: {error}") from error
        on_cpu, n = trainer.strategy.root_device.type == "cpu", os.cpu_count() or 1
        if on_cpu and trainer.num_devices > n:
            raise ValueError(
                f"trainer.devices must be at most {n}, the processors of this machine, got "
                f"{trainer.num_devices}"
            )
        present = _callbacks(trainer)
        if not any(isinstance(each, LogReport) for each in present):
            present.append(LogReport())
        present.insert(0, _Hint())
        for each in present:
            if isinstance(each, ModelCheckpoint):
                each.save_last = True if each.save_last is None else each.save_last
                each.save_on_exception = True
        for each in trainer.loggers:
            if type(each).__name__ == "WandbLogger":
                name_run(each, run_names(self.config[self.subcommand].as_dict()))
        return trainer


def _callbacks(trainer: Trainer) -> list[Any]:
    """Callbacks, set by a connector of Lightning, where mypy does not look."""
    present: list[Any] = trainer.callbacks  # type: ignore[attr-defined]  # not declared
    return present


def _parser_options(arguments: list[str]) -> dict[str, dict[str, Any]]:
    """Usage and description of each command; the classes' where help is wanted."""
    wanted = not {"-h", "--help"}.isdisjoint(arguments)
    text = DESCRIPTION + ("\n\n" + describe_classes() if wanted else "")
    return {
        name: {
            "usage": f"difftem {name} --config FILE.yaml [--key value ...]",
            "description": FIRST[name] + text,
        }
        for name in DifftemCLI.subcommands()
    }


def main(arguments: list[str]) -> None:
    """Run a subcommand of LightningCLI.

    Parameters
    ----------
    arguments : list of str
        ``fit`` or another subcommand, and what follows it.

    Raises
    ------
    ValueError
        For a bad configuration or bad data, in one line.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\.")
    warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
    _Hint.interrupted = False
    # Tasks of the user's own lie in the current folder, which `python -m` looks into but not a
    # script; at the end, so that it hides nothing.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        check_arguments(arguments)
        DifftemCLI(arguments)
    except (ValueError, MisconfigurationException) as error:
        raise ValueError(" ".join(str(_cause(error)).split())) from error
    except SystemExit:
        if _Hint.interrupted:  # Lightning ends with 1
            raise SystemExit(130) from None
        raise


def _parser() -> LightningArgumentParser:
    """Make a parser of the usual options, for completion; Lightning makes that of a run."""
    parser = _OneLineLightningParser(prog="difftem fit")
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file of the run")
    tasks = shortest_paths(LightningModule, "difftem.tasks")
    data = shortest_paths(LightningDataModule, "difftem.data")
    parser.add_argument("--model", choices=list(tasks), help="task")
    parser.add_argument("--data", choices=list(data), help="data module")
    parser.add_argument("--ckpt_path", metavar="FILE", help="checkpoint to go on from, or to test")
    parser.add_lightning_class_args(Trainer, "trainer")
    return parser


def _cause(error: BaseException) -> BaseException:
    """Find what a class said of its arguments, which jsonargparse lists among much else."""
    while error.__cause__ is not None and error.__traceback__ is not None:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        if not frame.f_globals["__name__"].startswith("jsonargparse."):
            break
        error = error.__cause__
    return error
