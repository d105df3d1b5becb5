"""What an analysis gives: columns, verdicts, numbers, pictures, files."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.analysis.atomic_columns import FoundColumns
from difftem.analysis.column_evidence import ColumnEvidence
from difftem.io.staged_folder import check_folder, staged_folder
from difftem.simulation.preview import save_figure, show_figure
from difftem.simulation.record import versions, write_record
from difftem.workflows.analyze.gradients import NamedGradient

_NAMES = (
    "x_pixel",
    "y_pixel",
    "surface",
    "verdict",
    "ratio_nats",
    "threshold_nats",
    "p_value",
    "ceiling_auc",
    "sbd_ratio_nats",
)


@dataclass(frozen=True, eq=False)
class AnalysisResult:
    """Columns of an image, and what its counts say of them.

    Attributes
    ----------
    name : str
        Of the image.
    pixel_size : float
        Å.
    method : str
        That denoised it.
    expected : Tensor
        Denoised image, electrons per pixel, shape ``(y, x)``.
    columns : FoundColumns
        All that were found on it.
    surface : Tensor
        Which of them are at a surface, shape ``(n,)``.
    tested : Tensor
        Indices of those that were tested, shape ``(k,)``.
    evidence : ColumnEvidence or None
        Of the tested ones.
    gradients : list of NamedGradient
        Rows of the denoiser's Jacobian.
    numbers : dict
        For the JSON file.
    lines : list of str
        The results, one a line.
    settings : dict
        What was asked for.
    messages : list of str
        All that was said.
    figures : dict
        Of matplotlib, by the names of their files without suffix.
    """

    name: str
    pixel_size: float
    method: str
    expected: Tensor
    columns: FoundColumns
    surface: Tensor
    tested: Tensor
    evidence: ColumnEvidence | None
    gradients: list[NamedGradient]
    numbers: dict[str, Any]
    lines: list[str]
    settings: dict[str, Any]
    messages: list[str]
    figures: dict[str, Any]

    @property
    def summary(self) -> str:
        """One line a result."""
        return "\n".join(self.lines)

    def show(self) -> None:
        """Show the pictures in windows or a notebook."""
        for figure in self.figures.values():
            show_figure(figure)

    def rows(self) -> list[dict[str, Any]]:
        """One for each column, as columns.csv has them; None of what was not tested."""
        place = {int(index): i for i, index in enumerate(self.tested)}
        rows = []
        for index, (x, y) in enumerate(self.columns.positions.tolist()):
            row: dict[str, Any] = dict.fromkeys(_NAMES)
            row |= {"x_pixel": round(x, 3), "y_pixel": round(y, 3), "verdict": "not tested"}
            row["surface"] = bool(self.surface[index])
            if self.evidence is not None and index in place:
                i, found = place[index], self.evidence
                row |= {
                    "verdict": "supported" if bool(found.supported[i]) else "not supported",
                    "ratio_nats": round(float(found.ratio[i]), 4),
                    "threshold_nats": round(float(found.threshold[i]), 4),
                    "p_value": round(float(found.p_value[i]), 5),
                    "ceiling_auc": round(float(found.ceiling[i]), 4),
                    "sbd_ratio_nats": round(float(found.vacuum_ratio[i]), 4),
                }
            rows.append(row)
        return rows

    def save(self, folder: str | Path, overwrite: bool = False) -> list[Path]:
        """Write columns.csv, analysis.json and the pictures, all or nothing.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there.
        overwrite : bool
            Replace files of an earlier analysis.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        InputError
            If the folder is not empty and `overwrite` is false, or cannot be written.
        """
        folder = Path(folder)
        check_folder(folder, overwrite)
        earlier = [path.name for path in folder.glob("gradient_*.png")] if folder.is_dir() else []
        pictures = [f"{name}.png" for name in self.figures]
        names = [*dict.fromkeys([*earlier, "likelihood.png", "periodicity.png", *pictures])]
        owned = (*names, "columns.csv", "analysis.json")
        with staged_folder(folder, overwrite, owned) as staging:
            with (staging / "columns.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, _NAMES, lineterminator="\n")
                writer.writeheader()
                for row in self.rows():
                    text = {True: "true", False: "false", None: ""}
                    writer.writerow(
                        {
                            k: text[v] if v is None or v is True or v is False else v
                            for k, v in row.items()
                        }
                    )
            for name, figure in self.figures.items():
                save_figure(figure, staging / f"{name}.png")
            write_record(staging / "analysis.json", self.record())
        return [folder / name for name in ("columns.csv", *pictures, "analysis.json")]

    def record(self) -> dict[str, Any]:
        """All numbers, settings and messages, as analysis.json has them."""
        return {
            "name": self.name,
            "pixel_size_angstrom": self.pixel_size,
            "method": self.method,
            **self.numbers,
            "gradients": [each.record() for each in self.gradients],
            "columns": self.rows(),
            "results": self.lines,
            "settings": self.settings,
            "messages": self.messages,
            "versions": versions(),
        }


def evidence_numbers(found: ColumnEvidence) -> dict[str, Any]:
    """Numbers of all tested columns, for the JSON file."""
    return {
        "tested": len(found.ratio),
        "supported": int(found.supported.sum()),
        "level": found.level,
        "null_frames": found.null_ratios.shape[1],
        "ceiling_auc_median": _median(found.ceiling),
        "sbd_ratio_positive": int((found.vacuum_ratio > 0).sum()),
    }


def evidence_lines(found: ColumnEvidence, electrons: float, vacuum: float) -> list[str]:
    """Say in three lines what the counts say."""
    n = len(found.ratio)
    low, high = (float(found.ceiling.quantile(q)) for q in (0.1, 0.9))
    return [
        f"likelihood: {int(found.supported.sum())} of {n} tested columns are supported by the "
        f"counts at {100 * found.level:g} % false positives ({found.null_ratios.shape[1]} null "
        f"frames each; median ratio {_median(found.ratio):.1f}, threshold "
        f"{_median(found.threshold):.1f} nats)",
        f"ceiling: at {electrons:.3g} e/pixel the best test of such a column, which knows how it "
        f"looks, has an AUC of {_median(found.ceiling):.2f} (median; {low:.2f} to {high:.2f})",
        f"SBD's ratio (mean of the disc against vacuum of {vacuum:.3g} e/pixel) is positive for "
        f"{int((found.vacuum_ratio > 0).sum())} of {n}",
    ]


def _median(values: Tensor) -> float:
    return float(torch.median(values)) if len(values) else math.nan
