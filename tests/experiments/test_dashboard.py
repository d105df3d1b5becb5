"""The workspace of the comparison, as it was written without a connection."""

import builtins
import json

import pytest

from experiments import comparison, dashboard
from experiments._base.log_comparison import TAG

SPECIFICATION = json.loads(dashboard.FILE.read_text("utf-8"))


def test_the_file_holds_what_the_code_says():
    pytest.importorskip("wandb_workspaces", reason="the extra dashboard is not installed")
    assert json.loads(dashboard.specification("ENTITY")) == SPECIFICATION


def test_each_experiment_has_a_section_with_table_pictures_and_numbers():
    bank = SPECIFICATION["spec"]["section"]["panelBankConfig"]["sections"]
    assert [each["name"] for each in bank] == list(dashboard.SECTIONS)
    assert {*comparison.EXPERIMENTS} <= {*dashboard.SECTIONS}
    for section in bank:
        shown = dashboard.SECTIONS[section["name"]]
        bars = [p["config"]["metrics"] for p in section["panels"] if p["viewType"] == "Bar Chart"]
        assert bars == [[name] for name in shown["numbers"]]
        kinds = [panel["viewType"] for panel in section["panels"]]
        assert kinds[0] == "Weave" and kinds.count("Media Browser") == len(shown["pictures"])
    assert TAG in json.dumps(SPECIFICATION["spec"]["section"]["runSets"])


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
