"""The workspace and the report in W&B, as they were written without a connection."""

import builtins
import contextlib
import json

import pytest

from experiments import comparison, dashboard, published
from experiments._base.dashboard_sections import SECTIONS

SPECIFICATION = json.loads(dashboard.FILE.read_text("utf-8"))
BY_TAG = {each.tag: each for each in SECTIONS}
TASKS = {"MTFFit", "Denoise"}  # tests/callbacks and tests/tasks hold their runs against the keys


class RecordedRun:
    """A run of W&B that keeps what it is given."""

    def __init__(self, **facts):
        self.facts, self.summary, self.logged = facts, {}, {}

    def log(self, values):
        self.logged |= values


def shown(panels, kind, key):
    return [each["config"][key] for each in panels if each["viewType"] == kind]


def tables(panels):
    return [
        each["config"]["panel2Config"]["exp"]["fromOp"]["inputs"]["key"]["val"]
        for each in panels
        if each["viewType"] == "Weave"
    ]


def check(panels, section):
    """Whether panels of W&B show what a section says, in its order."""
    assert tables(panels) == [section.table]
    assert shown(panels, "Bar Chart", "metrics") == [[key] for key in section.numbers]
    assert shown(panels, "Run History Line Plot", "metrics") == [[key] for key in section.lines]
    assert shown(panels, "Media Browser", "mediaKeys") == [[key] for key in section.pictures]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pydantic 2.14 with wandb-workspaces 0.4
def test_the_file_holds_what_the_code_says():
    pytest.importorskip("wandb_workspaces", reason="the extra dashboard is not installed")
    assert json.loads(dashboard.specification()) == SPECIFICATION


def test_the_workspace_has_a_section_for_each_kind_of_runs():
    spec = SPECIFICATION["workspace"]["spec"]["section"]
    bank = spec["panelBankConfig"]["sections"]
    assert [each["name"] for each in bank] == [each.title for each in SECTIONS]
    for made, section in zip(bank, SECTIONS, strict=True):
        check(made["panels"], section)
    runs = json.dumps(spec["runSets"])
    assert all(f'"{each.tag}"' in runs for each in SECTIONS)


def test_the_report_has_a_chapter_for_each_with_its_runs_alone():
    blocks = SPECIFICATION["report"]["spec"]["blocks"]
    grids = [each["metadata"] for each in blocks if each["type"] == "panel-grid"]
    for grid, section in zip(grids, SECTIONS, strict=True):
        check(grid["panelBankSectionConfig"]["panels"], section)
        runs = json.dumps(grid["runSets"])
        assert [tag for tag in BY_TAG if f'"{tag}"' in runs] == [section.tag]


def test_runs_of_the_published_results_log_the_keys_of_their_sections(monkeypatch, tmp_path):
    import wandb

    runs = []

    @contextlib.contextmanager
    def init(**facts):
        runs.append(RecordedRun(**facts))
        yield runs[-1]

    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setattr(wandb, "Image", lambda path: open(path, "rb").close())
    monkeypatch.setattr(published, "print", lambda *_: None, raising=False)
    assert published.main(["--folder", str(tmp_path)]) == 0
    assert {*published.PUBLISHED} == BY_TAG.keys() - TASKS >= {*comparison.EXPERIMENTS}
    for name in published.PUBLISHED:
        *methods, whole = [each for each in runs if each.facts["group"] == name]
        section = BY_TAG[name]
        assert methods and all(name in each.facts["tags"] for each in (*methods, whole))
        for each in methods:
            assert {*section.numbers} <= each.summary.keys(), (name, each.facts["name"])
        assert whole.logged.keys() == {section.table, *section.pictures}


def test_without_the_package_it_names_the_line_that_installs_it(monkeypatch, capsys):
    found = builtins.__import__

    def absent(name, *arguments, **keywords):
        if name.startswith("wandb_workspaces"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])
        return found(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", absent)
    monkeypatch.setattr("sys.argv", ["dashboard", "--publish", "somebody"])
    assert dashboard.main() == 2
    error = capsys.readouterr().err.strip()
    assert "wandb_workspaces" in error and dashboard.INSTALL in error and "\n" not in error


def test_publishing_without_a_login_is_refused_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(dashboard, "workspace", lambda entity: None)
    assert dashboard.publish("somebody") == 2
    assert capsys.readouterr().err.strip() == "nobody is logged in to W&B: run `wandb login` first"
