import pytest

from difftem.simulation.ice_config import IceConfig
from difftem.simulation.scene_check import check_scene
from difftem.simulation.scene_config import ParticleConfig, SceneConfig, SceneSamplingConfig
from difftem.simulation.templates import make_template


def scene(pdb, folder, **sampling):
    return SceneConfig(
        [ParticleConfig(name="a", source=str(pdb), count=1)],
        IceConfig(present=False),
        SceneSamplingConfig(**sampling),
        cache=str(folder),
    )


def test_templates_of_other_scattering_factors_are_kept_apart(pdb, tmp_path):
    totals = {}
    for table in (None, "peng", "kirkland"):
        config = scene(pdb, tmp_path / "cache", table=table, pixel_size=2.0)
        totals[table] = float(make_template(config.particles[0], config).values.double().sum())
    assert totals[None] == totals["peng"]
    # f(0) of carbon and oxygen differ by up to some percent between the tables.
    assert 0.001 < abs(totals["kirkland"] / totals["peng"] - 1) < 0.05


def test_pengs_factors_beyond_their_end_are_doubted(tiny, tmp_path, caplog):
    config = scene(tiny, tmp_path / "cache", table="peng", pixel_size=0.15, band="fast")
    make_template(config.particles[0], config)
    assert not any("Peng" in line for line in caplog.messages)
    config = scene(tiny, tmp_path / "cache", table="peng", pixel_size=0.09, band="fast")
    make_template(config.particles[0], config)
    assert any("end at 4 1/Å, the potential at 4.4 1/Å" in line for line in caplog.messages)


def test_tem_simulators_floor_knows_pengs_factors_only(pdb, tmp_path):
    given = [ParticleConfig(name="a", source=str(pdb), count=1, solvent="floor")]
    config = SceneConfig(given, sampling=SceneSamplingConfig(table="lobato"))
    with pytest.raises(ValueError, match=r"sampling\.table must be peng .* 'floor', got lobato"):
        check_scene(config)


@pytest.fixture
def tiny(tmp_path):
    """Two atoms as XYZ lines of a PDB file."""
    path = tmp_path / "tiny.pdb"
    lines = [
        f"HETATM{i:5d}  C   UNL A{i:4d}    {x:8.3f}{0:8.3f}{0:8.3f}  1.00  5.00           C"
        for i, x in ((1, -0.7), (2, 0.7))
    ]
    path.write_text("\n".join([*lines, "END", ""]))
    return path
