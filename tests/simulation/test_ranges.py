"""Every number of a configuration has a limit, and its message names key and value."""

import dataclasses
import math
import re

import pytest

from difftem.simulation.limits import check_common
from difftem.simulation.scene_check import check_scene
from difftem.simulation.scene_config import ParticleConfig
from difftem.simulation.settings import configured, in_words, leaves
from difftem.simulation.simulate_config import SimulateConfig
from difftem.workflows.generate.config import GenerateConfig

# Besides numbers of configurations: seeds, all of which are allowed.
FREE = ("phantom.seed",)


def numbers(kind):
    """Keys of numbers, and whether they are whole and how many there are."""
    for key, hint in leaves(kind):
        if not dataclasses.is_dataclass(hint) and "number" in (words := in_words(hint)):
            yield key, words


def given(key, words, value):
    """Mapping of a configuration with one number."""
    shape = value
    if several := re.search(r"(\d) values", words):
        shape = [value] * int(several[1])
    if words.startswith("a list"):
        shape = [shape]
    elif words.startswith("keys"):
        shape = {"C21a": value}
    for part in reversed(key.split(".")):
        shape = {part: shape}
    if "stage" in shape:
        shape["exposure"] = {"tilts_deg": [0.0, 3.0]}
        if isinstance(shape["stage"][key.split(".")[1]], list):
            shape["stage"][key.split(".")[1]] *= 2
    return shape


KEYS = [
    (kind, key, words) for kind in (SimulateConfig, GenerateConfig) for key, words in numbers(kind)
]


@pytest.mark.parametrize(
    ("kind", "key", "words"), KEYS, ids=[f"{k.__name__}-{n}" for k, n, _ in KEYS]
)
def test_numbers_beyond_reason_are_refused_by_their_key(kind, key, words):
    sign = 1 if kind is SimulateConfig else -1
    value = sign * (10**300 if "whole number" in words else 1e39)
    named = key.replace("defocus_nm", "defocus_[nu]m").replace("e_per_pixel", "e_per_(pixel|a2)")
    with pytest.raises(ValueError, match=named.replace(".", r"\.")) as refused:
        config = configured(kind, given(key, words, value), {})
        (check_common if kind is SimulateConfig else check_scene)(config)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("key", [key for key, _ in numbers(ParticleConfig) if key not in FREE])
def test_numbers_of_a_particle_are_refused_too(key):
    words = dict(numbers(ParticleConfig))[key]
    value = 10**300 if "whole number" in words else 1e39
    source = "phantom" if key.startswith("phantom") else "apoferritin"
    particle = {"source": source, "count": 1} | given(key, words, value)
    if key in ("per_um3", "micromolar", "fraction"):
        del particle["count"]
    config = configured(GenerateConfig, {"particles": [particle]}, {})
    with pytest.raises(ValueError, match=key.replace(".", r"\.")):
        check_scene(config)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_must_be_finite(value):
    config = configured(SimulateConfig, {"copies": {"rotation_deg": [0.0, value, 0.0]}}, {})
    with pytest.raises(ValueError, match=r"copies\.rotation_deg\[1\] must be a finite number"):
        check_common(config)


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (SimulateConfig, {"ice": {"thickness_nm": 5e4}}, r"ice\.thickness_nm .* no electron gets"),
        (
            GenerateConfig,
            {"variation": {"ice_thickness_nm": [50.0, 5e4]}},
            r"variation\.ice_thickness_nm must be at most 20 mean free paths",
        ),
        (
            SimulateConfig,
            {"exposure": {"tilts_deg": [0.0, 3.0]}, "stage": {"shifts": [[0.0, 0.0], [0.0, 1e5]]}},
            r"stage\.shifts\[1\] must be within 3 times the field's longer side, 1536 Å, got 1",
        ),
    ],
)
def test_what_would_show_nothing_or_take_forever_is_refused(kind, given, message):
    config = configured(kind, given, {})
    with pytest.raises(ValueError, match=message):
        (check_common if kind is SimulateConfig else check_scene)(config)
