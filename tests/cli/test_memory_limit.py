"""Memory that a run may take: kept, or refused in one line before anything is made."""

import pytest

from difftem.simulation import memory
from tests.helpers.tem_simulator import INPUT


def refused(result, *words):
    code, error = result
    assert code == 2
    (line,) = [each for each in error.splitlines() if each.startswith("difftem: error:")]
    for word in ("GB of memory", "allowed by memory_limit_gb (--memory-limit)", *words):
        assert word in line
    assert len(line) < 300


def test_simulate_keeps_a_limit_or_refuses(simulate, tmp_path):
    large = ("--sampling.size", "[6000, 6000]")
    code, captured, folder = simulate("--memory-limit", 2, *large)
    refused((code, captured.err), "2.00 GB")
    assert not folder.exists()
    assert simulate("--memory-limit=2", output=tmp_path / "kept")[0] == 0
    code, captured, _ = simulate("--memory_limit_gb", 0.1, output=tmp_path / "small")
    refused((code, captured.err), "0.10 GB")


def test_generate_counts_all_its_processes(generate, tmp_path):
    code, captured, folder = generate("--memory-limit", 1.0, "--micrographs", 2)
    assert code == 0
    many = ("--memory-limit", 1.0, "--micrographs", 2, "--devices", 2)
    code, captured, folder = generate(*many, output=tmp_path / "two")
    refused((code, captured.err), "2 processes need", "fewer devices")
    assert not folder.exists()


def test_generate_goes_on_with_a_set_under_another_limit(generate):
    assert generate("--memory-limit", 1.0)[0] == 0
    assert generate("--memory-limit", 2.0, "--micrographs", 2)[0] == 0


def test_an_input_of_tem_simulator_keeps_a_limit_or_refuses(simulate_input):
    code, error, folder = simulate_input(arguments=["--memory-limit", "0.2"])
    refused((code, error))
    assert not [*folder.glob("*.mrc")]
    assert simulate_input(arguments=["--memory-limit", "2"])[0] == 0
    large = ("nx = 12", "nx = 900"), ("ny = 13", "ny = 900"), ("nz = 14", "nz = 900")
    arguments = ["--memory-limit", "2", "--overwrite"]
    refused(simulate_input(*large, text=INPUT, arguments=arguments)[:2])


@pytest.mark.parametrize("value", ["0", "-1", "nan", "much"])
def test_a_limit_that_is_no_size_is_refused(simulate, simulate_input, value):
    code, captured, _ = simulate("--memory-limit", value)
    assert code == 2 and "memory_limit_gb" in captured.err
    code, error, _ = simulate_input(arguments=["--memory-limit", value])
    assert code == 2 and "memory-limit" in error


def test_a_limit_overrules_what_the_machine_has(simulate, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "reachable_bytes", lambda: (1e6, "free"))
    code, captured, _ = simulate()
    assert code == 2 and "0.00 GB are free" in captured.err
    assert simulate("--memory-limit", 1, output=tmp_path / "b")[0] == 0
