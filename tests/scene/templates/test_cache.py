import os

import pytest
import torch

from difftem.scene.templates.cache import cache_folder, cached_template, content_key
from difftem.scene.templates.template import Template
from tests.helpers.specimen import random_atoms

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def template(generator):
    values = torch.randn(6, 5, 4, generator=generator, dtype=torch.complex64)
    return Template(values, 2.5, 11.0, (0.5, -1.0, 2.0))


class Maker:
    def __init__(self, template):
        self.template, self.calls = template, 0

    def __call__(self):
        self.calls += 1
        return self.template


def assert_equal(a, b):
    assert torch.equal(a.values, b.values)
    assert (a.voxel_size, a.radius, a.center) == (b.voxel_size, b.radius, b.center)


@pytest.mark.parametrize("kind", [torch.float32, torch.complex64])
def test_what_was_kept_is_read_back_and_not_made_again(template, tmp_path, kind):
    values = template.values.to(kind) if kind.is_complex else template.values.real.contiguous()
    maker = Maker(Template(values, template.voxel_size, template.radius, template.center))
    folder = tmp_path / "new" / "cache"
    assert_equal(cached_template(KEY, maker, folder), maker.template)
    read = cached_template(KEY, maker, folder)
    assert_equal(read, maker.template)
    assert read.values.dtype == kind
    assert maker.calls == 1
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.npz"]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    middle = len(data) // 2  # among the numbers
    data[middle] ^= 1
    path.write_bytes(bytes(data))


def write_text(path):
    path.write_text("not an archive\n")


def empty(path):
    path.write_bytes(b"")


def rename(path):
    path.with_name(f"{OTHER}.npz").replace(path)


@pytest.mark.parametrize("damage", [truncate, flip, write_text, empty, rename])
def test_a_file_that_is_damaged_or_of_something_else_is_made_again(
    template, tmp_path, damage, caplog
):
    maker = Maker(template)
    other = Template(torch.ones(3, 3, 3), 1.0, 1.0)
    cached_template(OTHER, lambda: other, tmp_path)
    cached_template(KEY, maker, tmp_path)
    damage(tmp_path / f"{KEY}.npz")
    assert_equal(cached_template(KEY, maker, tmp_path), template)
    assert maker.calls == 2
    (line,) = caplog.messages
    assert "not this template" in line and "\n" not in line
    assert_equal(cached_template(KEY, maker, tmp_path), template)
    assert maker.calls == 2 and len(caplog.messages) == 1


def test_a_folder_that_cannot_be_written_is_not_used(template, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    maker = Maker(template)
    assert_equal(cached_template(KEY, maker, blocked / "cache"), template)
    (line,) = caplog.messages
    assert line.startswith("template not kept") and "\n" not in line


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_not_used(template, tmp_path, caplog):
    tmp_path.chmod(0o500)
    assert_equal(cached_template(KEY, Maker(template), tmp_path), template)
    assert len(caplog.messages) == 1


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFTEM_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("DIFFTEM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "difftem"


def test_the_key_follows_every_number_and_option():
    atoms = random_atoms(5, (10.0, 10.0, 10.0))
    key = content_key(atoms, voxel_size=2.0, solvent="none")
    assert key == content_key(atoms, solvent="none", voxel_size=2.0)
    moved = atoms.translated(torch.tensor([1e-9, 0.0, 0.0], dtype=torch.float64))
    changed = [
        content_key(atoms, voxel_size=2.1, solvent="none"),
        content_key(atoms, voxel_size=2.0, solvent="displaced"),
        content_key(moved, voxel_size=2.0, solvent="none"),
        content_key(None, voxel_size=2.0, solvent="none"),
    ]
    assert len({key, *changed}) == 5
