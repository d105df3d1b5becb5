"""Settings: which keys, values and files a configuration takes, and what is said of others."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from difftem.simulation.config import MicroscopeConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.scene_config import ParticleConfig, SceneConfig
from difftem.simulation.settings import check_settings, check_value, configured, in_words, leaves
from difftem.simulation.simulate_config import AtomSamplingConfig, SimulateConfig
from difftem.simulation.suggestions import RENAMED, suggestion

SIMULATE = [key for key, _ in leaves(SimulateConfig)]
SCENE = [key for key, _ in leaves(SceneConfig)]


def test_names_alone_or_with_their_section_become_fields():
    config = configured(
        SimulateConfig,
        None,
        {"pixel_size": 2, "ice_thickness_nm": 40.0, "defocus_um": -1.5, "tilts_deg": (0, 10)},
    )
    assert config.sampling == AtomSamplingConfig(pixel_size=2.0)
    assert config.ice == IceConfig(thickness_nm=40.0)
    assert config.microscope == MicroscopeConfig(defocus_um=-1.5)
    assert config.exposure.tilts_deg == [0.0, 10.0]


def test_arrays_paths_and_dataclasses_are_taken(tmp_path):
    (tmp_path / "a.pdb").touch()
    given = {
        "particles": [ParticleConfig(name="a", source=str(tmp_path / "a.pdb"), count=2)],
        "tilts_deg": torch.linspace(-60, 60, 3),
        "size": np.array([64, 48]),
        "cache": tmp_path,
    }
    config = configured(SceneConfig, None, given)
    assert config.particles == given["particles"]
    assert config.exposure.tilts_deg == [-60.0, 0.0, 60.0]
    assert config.sampling.size == (64, 48)
    assert config.cache == str(tmp_path)


def test_settings_change_what_they_name_in_a_file_or_a_configuration(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("microscope: {defocus_um: 2.0, cs_mm: 1.2}\nseed: 4\n")
    config = configured(SimulateConfig, path, {"defocus_um": 0.7})
    assert config.microscope == MicroscopeConfig(defocus_um=0.7, cs_mm=1.2)
    assert config.seed == 4
    again = configured(SimulateConfig, config, {"seed": 5})
    assert (again.seed, again.microscope) == (5, config.microscope)


def test_files_are_looked_for_beside_the_configuration_then_here(tmp_path, monkeypatch):
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    (there / "run.yaml").write_text("structure: {source: a.pdb}\ndetector: {mtf: b.star}\n")
    (there / "a.pdb").touch()
    (here / "a.pdb").touch()
    (here / "b.star").touch()
    config = configured(SimulateConfig, there / "run.yaml", {})
    assert config.structure.source == str(there / "a.pdb")
    assert config.detector.mtf == str(here / "b.star")
    (here / "b.star").unlink()
    with pytest.raises(ValueError, match=r"^b\.star: no such file \(detector\.mtf\)$"):
        configured(SimulateConfig, there / "run.yaml", {})


def test_a_word_that_stands_for_a_file_is_no_file():
    assert configured(SimulateConfig, None, {}).structure.source == "apoferritin"
    phantom = [{"source": "phantom", "count": 1}]
    assert configured(SceneConfig, None, {"particles": phantom}).particles[0].source == "phantom"
    with pytest.raises(ValueError, match=r"phantom: no such file \(structure.source\)"):
        configured(SimulateConfig, None, {"source": "phantom"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"defocus": 1.0}, r"unknown setting 'defocus'; did you mean 'defocus_um'\?"),
        ({"shape": [64, 64]}, r"unknown setting 'shape'; did you mean 'size'\?"),
        ({"Cs": 2.7}, r"unknown setting 'Cs'; did you mean 'cs_mm'\?"),
        ({"structure_file": "x"}, r"unknown setting 'structure_file'; did you mean 'source'\?"),
        ({"zzz": 1}, r"unknown setting 'zzz'; known keys: seed, .*, read_noise"),
        ({"defocus_um": "much"}, "microscope.defocus_um: expected a number, got 'much'"),
        ({"size": 64}, "sampling.size: expected 2 values, each a whole number, got 64"),
        ({"exposures": 1.5}, "exposure.exposures: expected a whole number, got 1.5"),
        ({"hydrogens": "all"}, "structure.hydrogens: expected one of file, implicit, none"),
        ({"present": "perhaps"}, "ice.present: expected true or false, got 'perhaps'"),
        ({"aberrations": {"C50": "x"}}, "microscope.aberrations: expected keys and values"),
        ({"aperture_mrad": []}, "microscope.aperture_mrad: expected a number or null"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(settings, message):
    with pytest.raises(ValueError, match=message):
        configured(SimulateConfig, None, settings)


@pytest.mark.parametrize("kind", [SimulateConfig, SceneConfig])
@pytest.mark.parametrize("values", [{"seed": "one"}, {"ice": 3}, {"ice": {"thicknes_nm": 3}}])
def test_both_vocabularies_refuse_alike(kind, values):
    with pytest.raises(ValueError, match=r"seed: expected|ice must hold keys|'ice.thickness_nm'"):
        check_settings(kind, values)


def test_shared_sections_mean_the_same_in_both():
    shared = {key.split(".")[0] for key in SIMULATE} & {key.split(".")[0] for key in SCENE}
    sections = {"ice", "sampling", "microscope", "exposure", "stage", "detector", "seed"}
    assert shared == sections | {"files", "truth", "memory_limit_gb"}
    own = {
        *("sampling.scattering", "sampling.potential_band_limit"),
        *("sampling.depth", "sampling.interpolation"),
        "files.exit_wave",
    }
    for key in {*SIMULATE, *SCENE} - own:
        if key.split(".")[0] in shared:
            assert key in SIMULATE and key in SCENE, key


@pytest.mark.parametrize("old", [key for key in RENAMED if "." in key])
def test_every_old_key_is_answered_with_its_new_name(old):
    assert suggestion(old, SIMULATE) == f"; did you mean {RENAMED[old]!r}?"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("dose", "exposure.dose_e_per_a2"),
        ("defocus", "microscope.defocus_um"),
        ("microscope.defocus", "microscope.defocus_um"),
        ("microscope.voltage", "microscope.voltage_kv"),
        ("pixelsize", "sampling.pixel_size"),
        ("exposure.dose", "exposure.dose_e_per_a2"),
        ("placements", "copies.transforms"),
        ("environment", "ice.present"),
        ("specimen.thickness_nm", "ice.thickness_nm"),
        ("detector.mtf_file", "detector.mtf"),
        ("mean_free_path", "ice.mean_free_path_nm"),
        ("defocus_mu", "microscope.defocus_um"),
        ("sampling.shape", "sampling.size"),
        ("microscope.Cs", "microscope.cs_mm"),
    ],
)
def test_a_word_that_users_try_is_answered_with_the_key_they_mean(wrong, right):
    assert suggestion(wrong, SIMULATE) == f"; did you mean {right!r}?"


def test_types_are_said_in_words():
    assert in_words(float | None) == "a number or null"
    assert in_words(list[float]) == "a list, each item a number"
    assert in_words(list[Literal["a", "b"]]) == "a list such as [a], each item one of a, b"
    assert in_words(tuple[str, ...]) == "a list, each item text"
    assert in_words(tuple[float, float]) == "2 values, each a number"
    assert in_words(list[ParticleConfig]) == "a list of keys and values"
    check_value(tuple[float, float], [1, 2.5], "x")
    check_value(float, "1e-3", "x", typed=True)
    with pytest.raises(ValueError, match="x: expected text"):
        check_value(str, 9, "x")
    check_value(str, "9", "x", typed=True)


def test_names_of_files_are_full_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.pdb").touch()
    config = configured(SimulateConfig, None, {"source": "a.pdb"})
    assert config.structure.source == str(tmp_path / "a.pdb")


def test_a_decimal_comma_is_told_of():
    # {defocus_um: 1,5} is the key defocus_um of 1, and the key 5.
    assert "the decimal mark is a point" in suggestion("microscope.5", SIMULATE)
