import re

import pytest

from difftem.cli.main import main
from difftem.simulation.settings import leaves
from difftem.simulation.simulate_config import SimulateConfig
from difftem.workflows.generate.config import GenerateConfig


@pytest.fixture
def text(capsys):
    """Help of a command in single spaces."""

    def call(*words):
        with pytest.raises(SystemExit, match="0"):
            main([*words])
        return " ".join(capsys.readouterr().out.split())

    return call


@pytest.mark.parametrize(
    ("command", "kind"), [("simulate", SimulateConfig), ("generate", GenerateConfig)]
)
def test_help_explains_every_field_in_words_and_without_types_of_python(text, command, kind):
    shown = text(command, "--help")
    for key, hint in leaves(kind):
        if not hasattr(hint, "__dataclass_fields__"):
            # Up to Python 3.12 "--key VALUE, --key+ VALUE", then "--key, --key+ VALUE".
            assert re.search(rf"--{re.escape(key)}[ ,]", shown), key
    assert not re.search(r"Optional\[|Literal\[|tuple\[|list\[|null|None|type:|False|True", shown)
    assert "pixel size in å at the specimen" in shown.lower()
    assert "(a number; default: 300)" in shown
    assert "YAML file with the fields of this section" in shown


def test_help_says_a_default_once(text):
    shown = text("simulate", "--help")
    assert "Default: no aperture. (a number) " in shown
    assert not re.search(r"Default: [^()]*\([^()]*default:", shown)
    assert "--files.format {mrc,tiff,zarr} Format" in shown
    size = "Width and height (x, y) of the micrograph in pixels. (2 values, each a whole number;"
    assert f"{size} default: [512, 512])" in shown


def test_help_of_particles_lists_their_fields_without_a_usage_of_all_options(text):
    shown = text("generate", "--particles.help")
    assert "usage:" not in shown
    assert "--particles.micromolar MICROMOLAR Concentration in µM. (a number)" in shown
