"""YAML without an end, or with a key twice, is refused before anything looks at it."""

import os
import re
import sys
import time

import pytest
import yaml

from difftem.cli.main import main
from difftem.io.files import MAX_UNPACKED, read_bytes
from difftem.io.yaml_file import parse_option, parse_yaml

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{n}: &{n} [*{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}]\n"
    for p, n in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = {
    "laughs": (LAUGHS, "aliases stand for more than 1000000 values"),
    "itself": ("ice: &a {b: *a}\n", "line 1: an alias holds itself"),
    "list": ("&a [*a]\n", "an alias holds itself"),
    "deep": ("[" * 90 + "]" * 90, "nested more than 50 levels deep"),
    "very deep": ("[" * 20000, "nested more than 50 levels deep"),
    "twice": ("ice: {gap_nm: 1}\nseed: 2\nice: {gap_nm: 2}\n", "line 3: the key 'ice' is there t"),
    "date": ("seed: 2001-13-45\n", "month must be in 1..12"),
    "digits": ("seed: " + "9" * 5000, "digits"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_grows_or_contradicts_itself_is_refused_at_once(name, tmp_path, capsys):
    text, message = BAD[name]
    start = time.perf_counter()
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_yaml(text)
    assert time.perf_counter() - start < 5
    path = tmp_path / "c.yaml"
    path.write_text(text)
    for command in ("simulate", "generate"):
        assert main([command, str(path), "--output", str(tmp_path / "out")]) == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"difftem: error: {path}: ") and message in said
    assert main(["fit", "--config", str(path)]) == 2
    assert message in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["c.yaml"]


def test_aliases_and_merges_that_end_are_read():
    text = "base: &b {x: 1, y: [1, 2]}\nmore: {<<: *b, x: 3}\nlist: [*b, *b]\n"
    assert parse_yaml(text) == yaml.safe_load(text)
    assert parse_yaml("") is None


def test_an_option_names_its_key(capsys, tmp_path):
    assert parse_option("x", "a: b: c") == "a: b: c"
    given = ["--ice", "&a {gap_nm: *a}", "--output", str(tmp_path / "out")]
    assert main(["simulate", *given]) == 2
    assert "error: ice: line 1: an alias holds itself" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "{}"],
        ["simulate", "--structure.source", "{}"],
        ["simulate", "--config", "{}"],
        ["simulate", "--detector.mtf", "{}"],
        ["simulate", "apoferritin", "--copies.transforms", "{}"],
        ["generate", "--config", "{}"],
        ["generate", "--particles", "[{{source: '{}', count: 1}}]"],
        ["estimate-mtf", "{}"],
        ["estimate-mtf", "{}", "--boxes", "{}"],
        ["fit", "--config", "{}"],
    ],
)
def test_pipes_and_devices_are_no_input(tmp_path, capsys, kind, arguments):
    suffixes = ("mrc", "tif") if arguments[0] == "estimate-mtf" else ("cif", "yaml")
    names = [f"a.{each}" for each in suffixes] if kind == "pipe" else ["zero"]
    for name in names:
        path = tmp_path / name
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path = "/dev/zero"
        given = [each.format(path) for each in arguments]
        output = "out.star" if given[0] == "estimate-mtf" else "out"
        if given[0] != "fit":
            given += ["--output", str(tmp_path / output)]
        assert main(given) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert f"{path}: is no regular file" in said or "expected a scene" in said, said
        assert not (tmp_path / output).exists()


def test_a_file_that_unpacks_without_an_end_is_refused(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setattr("difftem.io.files.MAX_UNPACKED", 1 << 30)
    assert MAX_UNPACKED == 4 << 30
    monkeypatch.setattr("difftem.io.files.MAX_UNPACKED", 1000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(2000)))
    with pytest.raises(ValueError, match=r"a\.gz: unpacks to more than"):
        read_bytes(tmp_path / "a.gz")
