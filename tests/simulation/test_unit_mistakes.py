import pytest

from difftem.simulation.config import ExposureConfig, MicroscopeConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.limits import check_common
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.unit_mistakes import doubtful_units, unit_mistake


@pytest.mark.parametrize("kind", [SimulateConfig, SceneConfig])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"cs_mm": 2.7e7},
            r"microscope\.cs_mm must be within 10000 mm, got 2\.7e\+07; in Å\? "
            r"2\.7e\+07 Å are 2\.7 mm",
        ),
        ({"cs_mm": -1.3e5}, r"cs_mm must be within 10000 mm"),
        ({"cc_mm": 2.7e7}, r"cc_mm must be at most 1000 mm, got .* Å are 2\.7 mm"),
        ({"cc_mm": 2700.0}, r"in µm\? 2700 µm are 2\.7 mm"),
        ({"voltage_kv": 3e5}, r"microscope\.voltage_kv must be .* in V\? 300000 V are 300 kV"),
        ({"voltage_kv": 0.0}, r"microscope\.voltage_kv must be in \(0, 5000\] kV, got 0"),
        ({"defocus_um": 15000.0}, r"defocus_um must be .* in Å\? 15000 Å are 1\.5 µm"),
        ({"defocus_um": -1200.0}, r"in nm\? -1200 nm are -1\.2 µm"),
        ({"astigmatism_um": 5000.0}, r"astigmatism_um must be within 1000 µm, .* are 0\.5 µm"),
        ({"dose_e_per_a2": 3e21}, r"at most 1e\+07 e/Å², got 3e\+21; in e/m²\? .* are 30 e/Å²"),
        ({"pixel_size": 1.2e-10}, r"pixel_size must be .* in m\? 1\.2e-10 m are 1\.2 Å"),
        ({"aperture_mrad": 12000.0}, r"in µrad\? 12000 µrad are 12 mrad"),
    ],
)
def test_a_value_in_another_unit_is_refused_with_that_unit(kind, settings, message):
    with pytest.raises(ValueError, match=message) as refused:
        check_common(configured(kind, None, settings))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_values_that_are_possible_and_unlikely_are_said():
    def said(cs_mm=2.7, voltage_kv=300.0, dose=30.0, present=True):
        return doubtful_units(
            MicroscopeConfig(cs_mm=cs_mm, voltage_kv=voltage_kv),
            ExposureConfig(dose_e_per_a2=dose),
            IceConfig(present=present),
        )

    assert said() == []
    (line,) = said(cs_mm=2700.0)
    assert line.endswith("in µm? 2700 µm are 2.7 mm; see difftem docs units")
    (line,) = said(voltage_kv=0.3)
    assert line.endswith("in MV? 0.3 MV are 300 kV; see difftem docs units")
    (line,) = said(dose=3000.0)
    assert "ice does not survive 1000 e/Å²; in e/nm²? 3000 e/nm² are 30 e/Å²; see" in line
    assert said(dose=3000.0, present=False) == []  # materials are given that much


def test_no_unit_is_named_where_none_fits():
    assert unit_mistake("cs_mm", 1e30) == ""
    assert unit_mistake("gain", 1e30) == ""
