import json
from pathlib import Path

import mrcfile
import numpy as np

from difftem.cli.main import main

FOLDER = Path(__file__).parents[2] / "experiments" / "micrographs"


def image(config, output, *arguments):
    code = main(["simulate", str(FOLDER / config), "--output", str(output), *arguments])
    assert code == 0
    with mrcfile.open(output / "noise_free.mrc") as mrc:
        return mrc.data.copy(), json.loads((output / "run.json").read_text())


def test_the_platinum_particle_shows_its_lattice(tmp_path):
    data, record = image(
        "pt_nanoparticle.yaml", tmp_path / "pt", "--sampling.size", "[160, 160]",
        "--sampling.pixel_size", "0.25", "--sampling.slice_thickness_nm", "0.4",
    )  # fmt: skip
    assert record["n_atoms"] == 1385
    power = np.abs(np.fft.rfft2(data - data.mean())) ** 2
    q = np.hypot(*np.meshgrid(np.fft.fftfreq(160, 0.25), np.fft.rfftfreq(160, 0.25), indexing="ij"))
    # Four {111} spots, 1/2.265 Å from the centre, on a ring that is dark elsewhere.
    ring = power[np.abs(q - 1 / 2.265) < 0.015]
    assert ring.max() > 50 * np.median(ring)


def test_tmv_rods_are_periodic_along_their_axis(shared_data, tmp_path):
    data, record = image(
        "tmv.yaml", tmp_path / "tmv", "--sampling.size", "[192, 192]", "--sampling.pixel_size", "4",
        "--structure.source", str(shared_data / "structures" / "2OM3.pdb"),
        "--structure.hydrogens", "none", "--microscope.defocus_um", "0.8",
    )  # fmt: skip
    assert record["n_atoms"] == 13 * 49 * 6395
    power = np.abs(np.fft.rfft2(data - data.mean())) ** 2
    q = np.hypot(*np.meshgrid(np.fft.fftfreq(192, 4), np.fft.rfftfreq(192, 4), indexing="ij"))
    # The 23 Å pitch of the helix: its layer line outshines the rest of that neighbourhood.
    ring = power[np.abs(q - 1 / 23) < 0.003]
    assert ring.max() > 8 * np.median(ring)
