import pytest

from experiments.conformance import abtem_checks, run
from experiments.conformance.check import Check


@pytest.fixture(scope="module")
def made():
    return run.run_checks()


def test_every_check_passes(made):
    assert [check for check in made if not check.passes] == []


def test_checks_of_every_subject_are_there(made):
    subjects = {check.subject for check in made}
    wanted = {"contrast transfer", "truth files", "absolute scale", "poses", "tilt series"}
    assert subjects - {"abTEM"} == wanted | {"dose", "counting", "detector"}
    assert ("abTEM" in subjects) == abtem_checks.is_installed()


def test_table_names_truth_number_and_what_it_must_be(made):
    lines = run.render(made).splitlines()
    assert len(lines) == len(made) + 2
    assert all(line.count("|") == 7 for line in lines)
    assert "NO" not in run.render(made)


def test_a_number_that_is_none_or_too_far_fails():
    right = Check("a", "b", "c", 1.05, 1.0, 0.1)
    assert right.passes
    assert not right._replace(number=1.2).passes
    assert not right._replace(number=float("nan")).passes
    assert "NO" in run.render([right._replace(number=1.2)])
