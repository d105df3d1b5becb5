"""Specify the project's workspace and report in W&B: ``python -m experiments.dashboard``.

Writes experiments/dashboard.json without a connection; ``--publish ENTITY`` saves both in W&B,
where `wandb login` has logged in and `wandb sync runs/wandb/offline-*` has sent the runs: those of
`difftem fit`, of comparisons with ``--wandb``, and of ``python -m experiments.published``.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from experiments._base.dashboard_sections import SECTIONS, DashboardSection
from experiments._base.log_comparison import PROJECT

FILE = Path(__file__).with_name("dashboard.json")
NAME = "difftem"
WHAT = (
    "MTFs of detectors, denoisers on the same arrays, nanoparticles, and speed: what the project "
    "publishes, run by run."
)
INSTALL = 'pip install "difftem[dashboard]"'


def workspace(entity: str) -> Any:
    """Build the workspace: a section for each kind of runs, grouped by experiment and method.

    Raises
    ------
    ModuleNotFoundError
        Without the package wandb-workspaces.
    """
    import wandb_workspaces.workspaces as workspaces

    return workspaces.Workspace(
        entity=entity,
        project=PROJECT,
        name=NAME,
        sections=[
            workspaces.Section(name=each.title, panels=_panels(each), is_open=True)
            for each in SECTIONS
        ],
        runset_settings=workspaces.RunsetSettings(
            filters=[workspaces.Tags().isin([each.tag for each in SECTIONS])],
            groupby=[workspaces.Metric("Group"), workspaces.Metric("JobType")],
        ),
    )


def report(entity: str) -> Any:
    """Build the report: a chapter for each kind of runs, which shows those alone.

    Parameters
    ----------
    entity : str
        User or team; "" asks W&B for nothing.

    Raises
    ------
    ModuleNotFoundError
        Without the package wandb-workspaces.
    """
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as workspaces

    blocks: list[Any] = [reports.TableOfContents()]
    for each in SECTIONS:
        runs = reports.Runset(
            entity=entity,
            project=PROJECT,
            name=each.title,
            filters=[workspaces.Tags().isin([each.tag])],
            groupby=["group", "jobType"],
        )
        grid = reports.PanelGrid(runsets=[runs], panels=_panels(each))
        blocks += [reports.H2(each.title), reports.P(each.what), grid]
    return reports.Report(
        entity=entity, project=PROJECT, title=NAME, description=WHAT, blocks=blocks, width="fluid"
    )


def _panels(section: DashboardSection) -> list[Any]:
    """Table, pictures, curves and bars of a section."""
    import wandb_workspaces.reports.v2 as panels

    made: list[Any] = [panels.WeavePanelSummaryTable(table_name=section.table)]
    made += [panels.MediaBrowser(media_keys=[key]) for key in section.pictures]
    made += [panels.LinePlot(title=key, y=[key]) for key in section.lines]
    made += [panels.BarPlot(title=key, metrics=[key]) for key in section.numbers]
    return made


def specification() -> str:
    """Write both as JSON; the same whenever it is written."""
    models = {"workspace": workspace("ENTITY")._to_model(), "report": report("")._to_model()}
    plain = {
        name: json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
        for name, model in models.items()
    }
    text = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    names = dict.fromkeys(re.findall(r'"(?:__id__|id)": "(\w+)"', text))  # drawn at random
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
        arguments.output.write_text(specification(), "utf-8")
    except ModuleNotFoundError as error:
        print(f"the dashboard needs {error.name}: {INSTALL}", file=sys.stderr)
        return 2
    print(f"wrote {arguments.output}; --publish ENTITY saves it in W&B")
    return 0


def publish(entity: str) -> int:
    """Save workspace and report in W&B, where somebody is logged in."""
    made = workspace(entity)
    if not (os.environ.get("WANDB_API_KEY") or _logged_in()):
        print("nobody is logged in to W&B: run `wandb login` first", file=sys.stderr)
        return 2
    try:
        made.save()
        print(made.url)
        written = report(entity)
        written.save()
        print(written.url)
    except Exception as error:
        print(f"W&B refused the dashboard of {entity}/{PROJECT}: {error}", file=sys.stderr)
        return 2
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
