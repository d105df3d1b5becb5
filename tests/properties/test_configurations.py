"""Configurations that are almost right, given to the commands that read them."""

import pytest

from difftem.cli.main import main
from tests.helpers.fit import config
from tests.properties.mutations import for_each, text_of
from tests.properties.test_structure import XYZ

SIMULATE = """structure:
  source: a.xyz
  hydrogens: none
  b_factor: 20.0
copies:
  count: 1
  rotation_deg: [10.0, 20.0, 30.0]
ice:
  present: true
  thickness_nm: 12.0
  mean_free_path_nm: 300.0
sampling:
  size: [16, 16]
  pixel_size: 2.0
  padding: 4
microscope:
  voltage_kv: 300.0
  defocus_um: 0.2
  cs_mm: 2.7
  astigmatism_um: 0.01
  aberrations: {C21a: 500.0}
  beam_tilt_mrad: [0.0, 0.0]
  aperture_mrad: 20.0
  phase_shift_deg: 90.0
exposure:
  dose_e_per_a2: 30.0
  tilts_deg: [0.0, 20.0]
  tilt_axis_deg: 85.0
  exposures: 1
stage:
  shifts: [[1.0, 2.0], [3.0, 4.0]]
  rotation_error_deg: 0.1
detector:
  preset: ideal
  gain: 2.0
  read_noise: 0.5
seed: 3
"""
GENERATE = """particles:
  - name: blob
    source: phantom
    count: 2
    phantom: {size_nm: [1.0, 1.2, 1.1], contrast: 3.0, smoothness: 1.0, seed: 4}
ice:
  thickness_nm: 20.0
  gap_nm: 0.1
sampling:
  size: [32, 32]
  pixel_size: 2.0
  padding: 4
microscope:
  defocus_um: 0.2
variation:
  defocus_um: [0.1, 0.3]
  dose_e_per_a2: [20.0, 30.0]
exposure:
  dose_e_per_a2: 30.0
detector:
  preset: ideal
micrographs: 1
threads: 1
seed: 3
"""


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Work in a folder with a structure and a cache."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.xyz").write_text(XYZ)
    monkeypatch.setenv("DIFFTEM_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("command", "text", "examples"), [("simulate", SIMULATE, 25), ("generate", GENERATE, 20)]
)
def test_a_mutated_configuration_runs_or_is_one_line(
    attempt, beside, times, command, text, examples
):
    attempt.allowed = {"a.xyz", "cache"}

    def run(path):
        return main([command, str(path), "--output", "out"])

    assert attempt("c.yaml", text.encode(), run) == 0
    for_each(text_of(text), examples * times, lambda content: attempt("c.yaml", content, run))


@pytest.mark.filterwarnings("ignore")
def test_a_mutated_configuration_of_a_fit_runs_or_is_one_line(
    attempt, tmp_path, times, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    written = config(
        tmp_path / "first", logger=False, max_steps=1, enable_checkpointing=False, max_epochs=1
    )
    text = written.read_text("utf-8")
    written.unlink()
    written.parent.rmdir()
    short = ["--model.init_args.loss", "psd", "--trainer.fast_dev_run", "true"]

    def run(path):
        return main(["fit", "--config", str(path), *short])

    assert attempt("c.yaml", text.encode(), run) == 0
    for_each(text_of(text), 15 * times, lambda content: attempt("c.yaml", content, run))
