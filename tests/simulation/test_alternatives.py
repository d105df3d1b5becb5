import pytest

from difftem.cli.parsing import parse
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig


def parsed(*arguments, kind=SimulateConfig):
    config, _ = parse("difftem", "", kind, [*arguments, "--output", "out"])
    return config


@pytest.fixture
def file(tmp_path):
    """Write a configuration and return its name."""

    def write(text, name="run.yaml"):
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    return write


def test_a_dose_per_pixel_is_one_per_area_and_nanometres_are_micrometres():
    config = parsed(
        "--exposure.dose_e_per_pixel", "18", "--microscope.defocus_nm", "-25",
        "--sampling.pixel_size", "1.5",
    )  # fmt: skip
    assert config.exposure.dose_e_per_a2 == pytest.approx(18 / 1.5**2)
    assert config.microscope.defocus_um == pytest.approx(-0.025)
    assert config.exposure.dose_e_per_pixel is config.microscope.defocus_nm is None
    same = configured(SimulateConfig, None, {"dose_e_per_pixel": 18, "pixel_size": 1.5})
    assert same.exposure == config.exposure


def test_an_option_overrules_the_other_unit_of_a_file(file):
    um, nm = (file(f"microscope: {{defocus_{u}: 5}}", f"{u}.yaml") for u in ("um", "nm"))
    assert parsed(um, "--microscope.defocus_nm", "7").microscope.defocus_um == 0.007
    assert parsed(nm, "--microscope.defocus_um", "7").microscope.defocus_um == 7
    assert parsed("--config", um, "--config", nm).microscope.defocus_um == 0.005
    assert parsed("--config", nm, "--config", um).microscope.defocus_um == 5
    assert parsed(um, "--microscope={defocus_nm: 7}").microscope.defocus_um == 0.007
    made = configured(SimulateConfig, um, {"microscope": {"defocus_nm": 7}})
    assert made.microscope.defocus_um == 0.007
    again = configured(SimulateConfig, made, {"defocus_nm": 9})
    assert again.microscope.defocus_um == 0.009


def test_what_print_config_prints_takes_the_other_unit_beside_the_default(file):
    whole = file("microscope: {defocus_um: 1.5, defocus_nm: 8}")
    assert parsed(whole).microscope.defocus_um == 0.008


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("exposure: {dose_e_per_a2: 2, dose_e_per_pixel: 5}", [], r"run.yaml: exposure.dose_e_per"),
        ("{}", ["--microscope.defocus_nm=1", "--microscope.defocus_um=2"], "^microscope.defocus_n"),
        ("exposure: {dose_e_per_pixel: -5}", [], "dose_e_per_pixel must be positive, .* got -5"),
        ("microscope: {defocus_nm: 2.0e+7}", [], "defocus_nm must be within 1e.06 nm, got 2e.07"),
        ("microscope: {defocus_nm: .nan}", [], "defocus_nm must be a finite number, got nan"),
    ],
)
def test_two_units_at_once_and_impossible_values_are_refused_by_their_names(
    file, text, options, message
):
    with pytest.raises(ValueError, match=message):
        parsed(file(text), *options)


def test_scenes_take_the_same_keys(blob):
    dose, defocus = ["--exposure.dose_e_per_pixel", "8"], ["--microscope.defocus_nm", "900"]
    config = parsed(*dose, *defocus, kind=SceneConfig)
    assert (config.exposure.dose_e_per_a2, config.microscope.defocus_um) == (2.0, 0.9)
