"""A tiny structure file and a way to call the command."""

import gemmi
import numpy as np
import pytest
import torch

from difftem.cli.main import main
from difftem.simulation.config import DetectorConfig
from difftem.simulation.messages import collected
from difftem.simulation.scene_config import ParticleConfig, SceneConfig, SceneSamplingConfig
from difftem.simulation.scene_microscope import SceneMicroscope
from tests.helpers.tem_simulator import INPUT

SAMPLING = SceneSamplingConfig(size=(64, 48), pixel_size=2.0, padding=36)
SMALL = ["--sampling.size", "[64, 48]", "--sampling.pixel_size", "1.5", "--sampling.padding", "8"]


@pytest.fixture
def pdb(tmp_path):
    """PDB file of 40 random atoms in a sphere of 20 Å."""
    rng = np.random.default_rng(0)
    structure = gemmi.Structure()
    structure.spacegroup_hm = "P 1"
    chain = gemmi.Chain("A")
    for i, position in enumerate(rng.uniform(-10, 10, (40, 3))):
        residue = gemmi.Residue()
        residue.name, residue.seqid = "UNL", gemmi.SeqId(i + 1, " ")
        atom = gemmi.Atom()
        atom.name = "C1"
        atom.element = gemmi.Element("C" if i % 2 else "O")
        atom.pos, atom.b_iso, atom.occ = gemmi.Position(*position), 30.0, 1.0
        residue.add_atom(atom)
        chain.add_residue(residue)
    structure.add_model(gemmi.Model(1))
    structure[0].add_chain(chain)
    path = tmp_path / "blob.pdb"
    structure.write_pdb(str(path))
    return path


@pytest.fixture
def simulate(pdb, tmp_path, capsys):
    """Call ``difftem simulate`` on the tiny structure in a small field: code, output, folder."""

    def call(*arguments, config=None, output=None, structure=True):
        folder = output or tmp_path / "out"
        given = [str(config)] if config is not None else []
        if structure:
            given += ["--structure.source", str(pdb)]
        given += [*SMALL, "--output", str(folder), *map(str, arguments)]
        code = main(["simulate", *given])
        return code, capsys.readouterr(), folder

    return call


@pytest.fixture
def simulate_input(tmp_path, capsys):
    """Run an input after replacements of its text: exit code, standard error, folder."""

    def call(*changes, text=INPUT, arguments=()):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "input.txt"
        path.write_text(text)
        return (
            main(["simulate", str(path), *map(str, arguments)]),
            capsys.readouterr().err,
            tmp_path,
        )

    return call


@pytest.fixture(scope="session")
def template_cache(tmp_path_factory):
    """Folder of templates that tests share."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture
def generate(pdb, tmp_path, capsys, template_cache):
    """Call ``difftem generate`` on the tiny structure in a small field: code, output, folder."""

    def call(*arguments, config=None, output=None, particles=None, small=True):
        folder = output or tmp_path / "set"
        given = [str(config)] if config is not None else []
        if particles is None and config is None:
            particles = f"[{{name: blob, source: {pdb}, count: 3}}]"
        if particles is not None:
            given += ["--particles", particles]
        if small:
            given += ["--sampling.size", "[64, 48]", "--sampling.pixel_size", "2"]
            given += ["--sampling.padding", "36", "--threads", "1"]
        given += ["--cache", str(template_cache), "--output", str(folder), *map(str, arguments)]
        code = main(["generate", *given])
        return code, capsys.readouterr(), folder

    threads = torch.get_num_threads()
    yield call
    torch.set_num_threads(threads)


@pytest.fixture
def blob(pdb):
    """Make a `ParticleConfig` of the tiny structure."""

    def make(**kwargs):
        return ParticleConfig(name="blob", source=str(pdb), **(kwargs or {"count": 3}))

    return make


@pytest.fixture
def microscope(template_cache):
    """Make a microscope that remembers what was logged."""
    with collected() as lines:

        def make(*particles, **kwargs):
            given = {
                "sampling": SAMPLING,
                "detector": DetectorConfig("ideal"),
                "cache": str(template_cache),
                **kwargs,
            }
            made = SceneMicroscope(SceneConfig(list(particles), **given))
            made.lines = lines
            return made

        yield make
