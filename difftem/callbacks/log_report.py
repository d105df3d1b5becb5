"""Reports and pictures of a fit, into the run's folder and into W&B."""

import csv
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger

_READERS = "difftem.io.account"


class LogReport(Callback):
    """At the end of a fit, keep what the task reports; at its start, pictures of the data.

    A task takes part that has ``report(truth, notes)``, which returns an object with ``text``
    (Markdown), ``metrics``, ``tables`` (with ``columns`` and ``rows``), ``figures`` and, for
    `line`, ``results``; a data module that has ``figures()``, ``truth(frequency)`` or
    ``facts.notes``. Others are left alone.

    The run's folder gets ``report.md``, a CSV file for each table and a PNG file for each figure;
    W&B gets tables, images, and every table whose name ends in ``curve`` as lines. Metrics, and the
    seconds that training took, go to all loggers.

    Parameters
    ----------
    figures : bool
        Draw figures; false makes runs of a large study faster.

    Attributes
    ----------
    line : str
        After a fit: its results in one line, or the last metrics of a task without a report, and
        where they are kept.

    Examples
    --------
    >>> from difftem.callbacks import LogReport
    >>> LogReport(figures=False).figures
    False
    """

    def __init__(self, figures: bool = True) -> None:
        super().__init__()
        self.figures = figures
        self._start = self._seconds = 0.0
        self._accounts = _Accounts()
        self._pictures: Mapping[str, Any] = {}
        self._folder: Path | None = None
        self.line = ""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Settle the run's folder, which all processes have to ask for, and draw the data."""
        log_dir = trainer.log_dir
        self._folder = None if log_dir is None or _is_trial(trainer) else Path(log_dir)
        draw = getattr(_data(trainer), "figures", None)
        if self.figures and draw is not None and trainer.is_global_zero:
            self._pictures = draw()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Keep pictures of the data, once a step has worked: a fit that cannot begin has none."""
        pictures, self._pictures = self._pictures, {}
        begin = time.perf_counter()
        self._keep_figures(trainer, pictures, "data")
        self._start += time.perf_counter() - begin

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock: data are loaded."""
        self._start = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        self._seconds = time.perf_counter() - self._start
        self.on_train_batch_end(trainer, pl_module)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the report of the task."""
        if not trainer.is_global_zero:
            return
        if _is_trial(trainer):
            self.line = "fast_dev_run: nothing is kept"
            return
        make: Any = getattr(pl_module, "report", None)
        if make is None:
            last = [f"{name} = {float(v):.4g}" for name, v in trainer.callback_metrics.items()]
            self.line = _results(last, "run", self._folder)
            return
        data = _data(trainer)
        notes = getattr(getattr(data, "facts", None), "notes", ())
        report = make(getattr(data, "truth", None), [*self._accounts.lines, *notes])
        folder, metrics = self._folder, {**report.metrics, "fit/seconds": self._seconds}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            _replace_text(folder / "report.md", report.text)
            for name, table in report.tables.items():
                _write_csv(folder / f"{name}.csv", table)
        for logger in trainer.loggers:
            logger.log_metrics(metrics, step=trainer.global_step)
            _log_tables(logger, report.tables)
            logger.save()
        if self.figures:
            self._keep_figures(trainer, report.figures, "fit")
        values = getattr(report, "results", ()) or [f"{k} = {v:.4g}" for k, v in metrics.items()]
        self.line = _results(values, "report", None if folder is None else folder / "report.md")

    def _keep_figures(self, trainer: pl.Trainer, figures: Mapping[str, Any], group: str) -> None:
        """Write PNG files, and show them in loggers that can."""
        folder = self._folder
        for name, figure in figures.items():
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                temporary = folder / f".{group}_{name}.png"
                figure.savefig(temporary, format="png", dpi=110)
                temporary.replace(folder / f"{group}_{name}.png")
            for logger in trainer.loggers:
                show: Any = getattr(logger, "log_image", None)
                if show is not None:
                    show(key=f"{group}/{name}", images=[_picture(figure)])


class _Accounts(logging.Handler):
    """Keep what readers of files say that they took and left."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        logger = logging.getLogger(_READERS)
        for each in [each for each in logger.handlers if isinstance(each, _Accounts)]:
            logger.removeHandler(each)  # of an earlier run in this process
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line once."""
        if (line := record.getMessage()) not in self.lines:
            self.lines.append(line)


def _data(trainer: pl.Trainer) -> Any:
    """Return the data module, or None."""
    return getattr(trainer, "datamodule", None)


def _results(values: Sequence[Any], what: str, where: str | Path | None) -> str:
    """Join results, and say where the rest is."""
    return f"{', '.join(map(str, values)) or 'done'}; {what}: {where or 'not kept'}"


def _is_trial(trainer: pl.Trainer) -> bool:
    """Tell whether this is a run of a batch or two, which keeps nothing."""
    return bool(getattr(trainer, "fast_dev_run", False))


def _log_tables(logger: Logger, tables: Mapping[str, Any]) -> None:
    """Show tables where a logger can, and curves as lines."""
    show: Any = getattr(logger, "log_table", None)
    if show is None:
        return
    for name, table in tables.items():
        show(key=f"fit/{name}", columns=table.columns, data=table.rows)
        if name.endswith("curve"):
            _log_lines(logger, name, table)


def _log_lines(logger: Logger, name: str, table: Any) -> None:
    """Draw columns over the first one, as an interactive plot of W&B."""
    import wandb

    columns = list(zip(*table.rows, strict=True))
    shown = [i for i, c in enumerate(table.columns) if i and not c.endswith("error")]
    lines = wandb.plot.line_series(
        xs=list(columns[0]),
        ys=[list(columns[i]) for i in shown],
        keys=[table.columns[i] for i in shown],
        title=name,
        xname=table.columns[0],
    )
    run: Any = logger
    run.experiment.log({f"fit/{name}_lines": lines})


def _picture(figure: Any) -> Any:
    """Pixels of a figure, so that a logger needs no plotting backend of its own."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _replace_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)


def _write_csv(path: Path, table: Any) -> None:
    """Write a table as CSV under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(table.rows)
    temporary.replace(path)
