"""Specify the comparison's workspace in W&B: ``python -m experiments.dashboard``.

Writes experiments/dashboard.json without a connection; ``--publish ENTITY`` saves the workspace in
W&B, where `wandb login` has logged in and `wandb sync runs/wandb/offline-*` has sent the runs.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from experiments._base.log_comparison import PROJECT, TAG

FILE = Path(__file__).with_name("dashboard.json")
NAME = "Denoisers on the same arrays"
INSTALL = 'pip install "difftem[dashboard]"'
# Of each experiment: numbers of a method (means over its rows), and pictures of its table's run.
SECTIONS: dict[str, dict[str, list[str]]] = {
    "denoise_dose": {
        "numbers": [
            "psnr_truth_range_db",
            "correlation",
            "nmse",
            "frc_0.5_cycles_per_pixel",
            "ssim_truth_range",
            "paper_mm_ssim",
            "cpu_seconds",
        ],
        "pictures": ["comparison_dose", "curves"],
    },
    "denoise_generalise": {
        "numbers": ["nmse", "correlation", "frc_half", "cpu_seconds"],
        "pictures": ["comparison_generalise"],
    },
    "denoise_real": {
        "numbers": ["mean", "paper_mm_psnr_db", "cpu_seconds"],
        "pictures": ["falcon_3ec", "k2", "stem_pair_0", "stem_pair_1"],
    },
    "false_positives": {
        "numbers": [
            "specks_per_mpx",
            "largest_percent_of_mean",
            "rms_percent_of_mean",
            "cpu_seconds",
        ],
        "pictures": ["comparison_blank"],
    },
}


def workspace(entity: str) -> Any:
    """Build the workspace: a section for each experiment, runs grouped by method.

    Raises
    ------
    ModuleNotFoundError
        Without the package wandb-workspaces.
    """
    import wandb_workspaces.reports.v2 as panels
    import wandb_workspaces.workspaces as workspaces

    sections = []
    for experiment, shown in SECTIONS.items():
        made: list[Any] = [panels.WeavePanelSummaryTable(table_name="comparison")]
        made += [panels.MediaBrowser(media_keys=[key]) for key in shown["pictures"]]
        made += [panels.BarPlot(title=key, metrics=[key]) for key in shown["numbers"]]
        sections.append(workspaces.Section(name=experiment, panels=made, is_open=True))
    return workspaces.Workspace(
        entity=entity,
        project=PROJECT,
        name=NAME,
        sections=sections,
        runset_settings=workspaces.RunsetSettings(
            filters=[workspaces.Tags().isin([TAG])],
            groupby=[workspaces.Config("experiment"), workspaces.Config("method")],
        ),
    )


def specification(entity: str) -> str:
    """Write the workspace as JSON; the same whenever it is written."""
    model = json.loads(
        workspace(entity)._to_model().model_dump_json(by_alias=True, exclude_none=True)
    )
    text = json.dumps(model, indent=1) + "\n"
    names = dict.fromkeys(re.findall(r'"__id__": "(\w+)"', text))  # drawn at random
    for number, name in enumerate(names):
        text = text.replace(f'"{name}"', f'"panel{number}"')
    return text


def main() -> int:
    """Write the file, or publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=FILE)
    parser.add_argument("--publish", metavar="ENTITY", help="save it in W&B, of a user or team")
    arguments = parser.parse_args()
    try:
        if arguments.publish:
            return publish(arguments.publish)
        arguments.output.write_text(specification("ENTITY"), "utf-8")
    except ModuleNotFoundError as error:
        print(f"the dashboard needs {error.name}: {INSTALL}", file=sys.stderr)
        return 2
    print(f"wrote {arguments.output}; --publish ENTITY saves it in W&B")
    return 0


def publish(entity: str) -> int:
    """Save the workspace in W&B, where somebody is logged in."""
    made = workspace(entity)
    if not (os.environ.get("WANDB_API_KEY") or _logged_in()):
        print("nobody is logged in to W&B: run `wandb login` first", file=sys.stderr)
        return 2
    try:
        made.save()
    except Exception as error:
        print(f"W&B refused the workspace of {entity}/{PROJECT}: {error}", file=sys.stderr)
        return 2
    print(made.url)
    return 0


def _logged_in() -> bool:
    """Whether `wandb login` has left a key for its server."""
    import netrc

    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    try:
        return path.is_file() and netrc.netrc(path).authenticators("api.wandb.ai") is not None
    except netrc.NetrcParseError:
        return False


if __name__ == "__main__":
    sys.exit(main())
