"""Files of weights."""

import json

import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.weights import read_weights, write_weights

ACCOUNT = {"network": {"class": "BiasFreeUNet", "config": {"channels": [4]}}, "steps": 3}


@pytest.fixture
def path(tmp_path, generator):
    path = tmp_path / "small.safetensors"
    tensors = {"a.weight": torch.randn(3, 2, generator=generator), "b": torch.ones(2).half()}
    write_weights(path, tensors, ACCOUNT)
    return path


def test_what_is_written_is_read(path):
    found = read_weights(path)
    same = torch.Generator().manual_seed(0)
    assert torch.equal(found.tensors["a.weight"], torch.randn(3, 2, generator=same))
    assert found.tensors["b"].dtype == torch.float16
    assert found.account["steps"] == 3
    assert len(found.account["sha256"]) == 64
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "small.json",
        "small.safetensors",
    ]


def test_channels_last_and_shared_tensors_are_written_as_they_are(tmp_path, generator):
    weight = torch.randn(4, 3, 3, 3, generator=generator).to(memory_format=torch.channels_last)
    write_weights(tmp_path / "w.safetensors", {"a": weight, "b": weight}, ACCOUNT)
    found = read_weights(tmp_path / "w.safetensors").tensors
    assert torch.equal(found["a"], weight)
    assert torch.equal(found["b"], weight)


def change(key, value):
    def apply(path):
        account = json.loads(path.with_suffix(".json").read_text("utf-8"))
        account[key] = value
        path.with_suffix(".json").write_text(json.dumps(account), "utf-8")

    return apply


def damage(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


CASES = {
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:-5]), "no safetensors file, or not"),
    "foreign": (lambda p: p.write_bytes(b"\x80\x04" + bytes(100)), "no safetensors file, or not"),
    "empty": (lambda p: p.write_bytes(b""), "no safetensors file, or not"),
    "changed": (damage, "not the weights that small.json describes: sha256 is "),
    "no account": (lambda p: p.with_suffix(".json").unlink(), r"small.json: no such file"),
    "no JSON": (lambda p: p.with_suffix(".json").write_text("{"), "small.json: no JSON"),
    "a list": (lambda p: p.with_suffix(".json").write_text("[]"), "must hold names and values"),
    "no hash": (change("sha256", None), "no account of weights: no sha256 in it"),
    "format": (change("format", "other 2"), "format must be 'difftem network weights 1', got 'o"),
    "network": (change("network", {"class": 3}), "network must have a class and a config"),
}


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES.keys())
def test_what_is_not_whole_is_refused_in_one_line(path, change, message):
    change(path)
    with pytest.raises(InputError, match=message) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)
    assert str(path.parent) in str(caught.value)


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    write_weights(tmp_path / "w.safetensors", {"a": torch.tensor([torch.nan])}, ACCOUNT)
    with pytest.raises(InputError, match="a must hold finite numbers"):
        read_weights(tmp_path / "w.safetensors")
    write_weights(tmp_path / "w.safetensors", {"a": torch.tensor([1])}, ACCOUNT, overwrite=True)
    with pytest.raises(InputError, match="a must hold finite numbers"):
        read_weights(tmp_path / "w.safetensors")


def test_files_are_not_replaced_unasked(path):
    before = path.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        write_weights(path, {"a": torch.zeros(1)}, ACCOUNT)
    assert path.read_bytes() == before
    with pytest.raises(InputError, match=r"must have a name that ends in \.safetensors"):
        write_weights(path.with_suffix(".bin"), {"a": torch.zeros(1)}, ACCOUNT)
