import gzip
import struct

import numpy as np
import pytest
import tifffile

import difftem
from difftem.io.mrc import write_mrc
from difftem.io.pixel_count import count_pixels
from difftem.workflows.estimate_mtf.memory import BASE_BYTES, estimate_bytes
from difftem.workflows.estimate_mtf.options import EstimateOptions


@pytest.fixture
def stack(tmp_path):
    counts = np.random.default_rng(0).poisson(10, (3, 64, 80)).astype(np.float32)
    write_mrc(tmp_path / "stack.mrc", counts, 1.0)
    return tmp_path / "stack.mrc"


def test_pixels_are_counted_from_headers_alone(stack, tmp_path):
    assert count_pixels(stack) == 3 * 64 * 80
    packed = tmp_path / "stack.mrc.gz"
    packed.write_bytes(gzip.compress(stack.read_bytes()))
    assert count_pixels(packed) == 3 * 64 * 80
    tifffile.imwrite(
        tmp_path / "movie.tif", np.zeros((5, 20, 30), np.uint8), photometric="minisblack"
    )
    assert count_pixels(tmp_path / "movie.tif") == 5 * 20 * 30
    (tmp_path / "broken.tif").write_bytes(b"II*\0")
    assert count_pixels(tmp_path / "broken.tif") == 0


def test_the_estimate_grows_with_pixels_and_an_edge_takes_more(stack):
    flat = EstimateOptions([str(stack)])
    more = EstimateOptions([str(stack)] * 2)
    edge = EstimateOptions([str(stack)], edge=True)
    added = estimate_bytes(flat) - BASE_BYTES
    assert added > 0
    assert estimate_bytes(more) - BASE_BYTES == pytest.approx(2 * added)
    assert estimate_bytes(edge) > estimate_bytes(flat)
    assert estimate_bytes(edge, flat) - BASE_BYTES == pytest.approx(
        estimate_bytes(edge) + estimate_bytes(flat) - 2 * BASE_BYTES
    )


def test_what_cannot_fit_is_refused_before_it_is_read(stack, monkeypatch):
    monkeypatch.setattr("difftem.simulation.memory.CUDA_BYTES", 0.0)
    with pytest.raises(ValueError, match=r"needs about 0.60 GB of memory, 0.10 GB are allowed"):
        difftem.estimate_mtf(stack, memory_limit_gb=0.1)
    with pytest.raises(ValueError, match=r"are allowed by memory_limit_gb"):
        difftem.estimate_dqe(stack, stack, memory_limit_gb=0.1)
    with pytest.raises(ValueError, match="memory_limit_gb must be a positive number"):
        difftem.estimate_mtf(stack, memory_limit_gb=0.0)


def test_a_header_that_claims_too_much_is_refused_by_its_reader(stack):
    content = bytearray(stack.read_bytes())
    content[:12] = struct.pack("<iii", 100_000, 100_000, 100)
    stack.write_bytes(content)
    with pytest.raises(ValueError, match="not a whole MRC file"):
        difftem.estimate_mtf(stack)
