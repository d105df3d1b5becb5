"""What a structure file gave reaches the terminal, the result and the record of every command."""

import json

import pytest

import difftem
from difftem.simulation.copies import read_particle
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig
from tests.helpers.structures import bare_line, said, write
from tests.helpers.tem_simulator import INPUT

ACCOUNT = "blob.pdb: 40 atoms (C 20, O 20), B 30 Å² from the file"


def test_simulate_says_what_it_took_and_left(simulate):
    code, captured, folder = simulate("--structure.hydrogens", "file")
    assert code == 0
    assert captured.err.count(ACCOUNT) == 1
    assert ACCOUNT in json.loads((folder / "run.json").read_text("utf-8"))["messages"]


def test_generate_says_what_it_took_and_left(generate, pdb):
    particles = f"[{{name: blob, source: {pdb}, count: 3, hydrogens: file}}]"
    code, captured, folder = generate("--micrographs", "2", particles=particles)
    assert code == 0
    assert captured.err.count(ACCOUNT) == 1
    records = [json.loads((folder / f"00000{i}/run.json").read_text("utf-8")) for i in (0, 1)]
    assert [record["inputs"] for record in records] == [[ACCOUNT], [ACCOUNT]]


def test_results_keep_what_was_said(pdb, tmp_path, template_cache):
    field = {"size": (32, 32), "pixel_size": 4.0, "padding": 4}
    assert ACCOUNT in difftem.simulate(pdb, hydrogens="file", **field).messages
    particle = {"name": "blob", "source": str(pdb), "count": 1, "hydrogens": "file"}
    made = difftem.generate(
        tmp_path / "set", particles=[particle], threads=1, cache=str(template_cache), **field
    )
    assert ACCOUNT in made.messages


def test_tem_simulator_keeps_what_was_said(simulate_input, pdb):
    random = INPUT[INPUT.index("source = random") : INPUT.index("=== particleset")]
    structure = f"source = pdb\npdb_file_in = {pdb.name}\nvoxel_size = 0.4\n"
    code, error, folder = simulate_input((random, structure))
    assert code == 0, error
    account = "blob.pdb: 40 atoms (C 20, O 20), B 30 Å² from the file"
    assert account in error
    records = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
    assert any(line.startswith(account) for record in records for line in record["notes"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"occupancy": 0.5}, "occupancy 0.5 of every atom as asked"),
        ({"b_factor": 12.0}, "B 12 Å² of every atom as asked"),
        ({"model": 2}, "model 2 of 2"),
        ({"model": "all"}, "2 models as asked: all taken"),
        ({}, "model 1 of 2"),
    ],
)
def test_keys_of_structures_reach_the_reader(tmp_path, given, words):
    chain = [bare_line(" CA ", "GLY", i, 3.0 * i) for i in range(10)]
    models = "".join(f"MODEL     {n:4d}\n{''.join(chain)}ENDMDL\n" for n in (1, 2))
    path = write(tmp_path / "two.pdb", models)
    config = configured(SimulateConfig, None, {"source": path, **given})
    scene = {"particles": [{"name": "a", "source": path, "count": 1, **given}]}
    for structure in (
        config.structure,
        configured(SceneConfig, None, scene).particles[0].structure(),
    ):
        with said() as lines:
            read_particle(structure)
        assert words in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--structure.occupancy", "2"), "structure.occupancy must be at most 1, got 2"),
        (("--structure.occupancy", "0"), "structure.occupancy must be positive, got 0"),
        (("--structure.b_factor", "1e39"), "structure.b_factor must be at most 100000"),
        (("--structure.model", "first"), "structure.model: expected a whole number or one of"),
        (("--structure.model", "7"), "blob.pdb: no model 7, the file has 1 only"),
    ],
)
def test_impossible_values_of_structures_are_refused_in_one_line(simulate, arguments, words):
    code, captured, folder = simulate(*arguments)
    assert code == 2
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert not folder.exists()
