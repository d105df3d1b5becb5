"""What a comparison gives: scores, curves, pictures, a report."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from difftem.io.files import replacing
from difftem.io.staged_folder import made_folder
from difftem.pictures import grey_limits
from difftem.simulation.preview import save_figure, show_figure
from difftem.simulation.record import versions
from difftem.workflows.compare.agreement import Agreement
from difftem.workflows.compare.figure import Shown, draw_curves, draw_panels
from difftem.workflows.compare.load import Kind
from difftem.workflows.compare.output import check_report_output, report_files
from difftem.workflows.compare.report import NAMES, Mode, Part, Picture, table_of, texts
from difftem.workflows.compare.scores import Scores
from difftem.workflows.compare.written import as_csv, as_html, as_markdown

_SIDES: dict[Kind, float] = {"images": 3.4, "volume": 2.1}  # inches of a panel on a page
_SIDE = 3.4  # and in one picture of all
_BEYOND = 0.2  # of the truth's range of grey values, above and below


@dataclass(frozen=True, eq=False)
class Comparison:
    """Files against each other, or against a truth.

    Attributes
    ----------
    kind : {"images", "volume"}
        What they are.
    mode : {"truth", "halves", "reference"}
        Against a truth, two files, or several files against the first of them.
    against : str
        The truth, or the first file.
    pixel_size : float or None
        Å.
    scores : dict of str to dict
        Of each file by column, as ``scores.csv`` has them; names end in the unit.
    curves : list of Agreement
        Of each file, over all frequencies and over sampled ones.
    panels : list of Shown
        What is shown, on one grey scale.
    facts : list of str
        What was compared and how.
    messages : list of str
        All that was said.
    """

    kind: Kind
    mode: Mode
    against: str
    pixel_size: float | None
    scores: dict[str, Scores]
    curves: list[Agreement]
    panels: list[Shown]
    facts: list[str]
    messages: list[str]

    @cached_property
    def figure(self) -> Any:
        """Correlations over frequency, of matplotlib."""
        return draw_curves(self.curves, self.kind)

    @cached_property
    def panel_figure(self) -> Any:
        """Files side by side on one grey scale, of matplotlib."""
        return draw_panels(self.panels, self._limits, self.pixel_size, _SIDE)

    def show(self) -> None:
        """Show panels and curves in a window or a notebook."""
        show_figure(self.panel_figure)
        show_figure(self.figure)

    def save(self, path: str | Path, overwrite: bool = False) -> list[Path]:
        """Write the report, all of it or nothing.

        Parameters
        ----------
        path : str or Path
            ``.html``: one page with everything in it; ``.md``: Markdown, with pictures and tables
            beside it whose names begin with its own; else a folder for ``report.md``,
            ``panels.png``, ``curves.png``, ``scores.csv`` and ``correlation.csv``.
        overwrite : bool
            Replace files that exist.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        InputError
            If a file exists and `overwrite` is false, or the folder cannot be written.
        """
        path = Path(path)
        check_report_output(path, overwrite)
        files, tables = report_files(path), self.tables()
        with ExitStack() as stack:
            stack.enter_context(made_folder(files["report"].parent))
            part = {n: stack.enter_context(replacing(f, overwrite)) for n, f in files.items()}
            if len(files) == 1:
                saved = {f"{name}.csv": table for name, table in tables.items()}
                text = as_html(self.title, self._parts(each=True), saved)
            else:
                prefix = files["curves"].name.removesuffix("curves.png")
                text = as_markdown(self.title, self._parts(each=False), prefix)
                save_figure(self.figure, part["curves"])
                save_figure(self.panel_figure, part["panels"])
                for name, table in tables.items():
                    part[name].write_text(table, "utf-8")
            part["report"].write_text(text, "utf-8")
        return list(files.values())

    @property
    def title(self) -> str:
        """One line of what was compared."""
        names = list(self.scores)
        if self.mode == "halves":
            return f"{self.against} and {names[0]}"
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return f"{shown} against {self.against}"

    @property
    def summary(self) -> str:
        """The table of scores as text."""
        from tabulate import tabulate

        headers, rows = table_of(self.scores, self.curves, self.kind)
        table = tabulate(rows, headers, disable_numparse=True)
        return f"{self.title}: {self.facts[0]}\n{table}"

    def tables(self) -> dict[str, str]:
        """CSV texts of the scores and of the curves, by name."""
        scores: list[dict[str, str | float]] = [
            {"file": name, "against": self.against, **row} for name, row in self.scores.items()
        ]
        unit = "per_angstrom" if self.pixel_size else "cycles_per_pixel"
        curves: list[dict[str, str | float]] = [
            {
                "file": curve.name,
                "against": curve.against,
                "frequencies": "sampled" if curve.sampled else "all",
                f"frequency_{unit}": float(f"{at:.6g}"),
                "correlation": float(f"{value:.6g}"),
            }
            for curve in self.curves
            for at, value in zip(curve.frequency.tolist(), curve.correlation.tolist(), strict=True)
        ]
        return {"scores": as_csv(scores), "correlation": as_csv(curves)}

    @property
    def _limits(self) -> tuple[float, float]:
        """Grey values that are black and white in all panels: those of the first, and some more."""
        low, high = grey_limits(torch.cat([each.flatten() for _, each in self.panels[0].slices]))
        beyond = _BEYOND * (high - low) if self.mode == "truth" else 0.0  # noise is to be seen
        return low - beyond, high + beyond

    def _parts(self, each: bool) -> list[Part]:
        """Make the report; `each` panel is a picture of its own, for narrow screens, or all one."""
        headers, rows = table_of(self.scores, self.curves, self.kind)
        name, said = NAMES[self.kind][0], texts(self.mode, self.kind, self.against)
        low, high = self._limits
        panels = [Picture("panels", "all files on one grey scale", self.panel_figure)]
        if each:
            side = _SIDES[self.kind]
            panels = [
                Picture("", one.name, draw_panels([one], (low, high), self.pixel_size, side))
                for one in self.panels
            ]
        curves = Picture("curves", f"{name} over frequency of {self.title}", self.figure)
        what = "central slices" if self.kind == "volume" else "images"
        scale = f"One grey scale for all {what}, {low:.3g} (black) to {high:.3g} (white): "
        made = ", ".join(f"{key} {value}" for key, value in versions().items())
        return [
            Part("Scores", headers=headers, rows=rows),
            Part("Agreement over frequency", said["meaning"], pictures=[curves]),
            Part("Side by side", [f"{scale}{said['grey_scale']}."], pictures=panels,
                 layout=self.kind),
            Part("What was compared", items=self.facts),
            Part("Definitions", items=said["definitions"]),
            Part("What was said", items=[*self.messages, made]),
        ]  # fmt: skip
