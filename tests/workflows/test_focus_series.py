"""Focus series, exit waves and formats of `difftem.simulate`."""

import dataclasses
import json
from importlib.util import find_spec

import mrcfile
import numpy as np
import pytest
import tifffile
import torch

import difftem
from difftem.functional.grid import crop_center
from difftem.functional.resample import fourier_crop
from difftem.io.mrc import read_mrc
from difftem.modules import Beam, Lens
from tests.helpers.specimen import random_atoms

SMALL = {
    "size": (64, 48),
    "pixel_size": 1.5,
    "padding": 10,
    "preset": "ideal",
    "ice_present": False,
}
IDEAL = {"cc_mm": 0.0, "source_semiangle_mrad": 0.0, "cs_mm": 1.2, "voltage_kv": 200.0}


def atoms():
    return random_atoms(40, (20.0, 20.0, 20.0), (6, 8), (30.0, 30.0))


def on_pixels(image, result):
    """Electrons in the micrograph's pixels from an intensity in the waves', at 10 e/Å²."""
    coarse = fourier_crop(image, result.sampling.shape)
    return crop_center(coarse, (48, 64)) * 10.0 * 1.5**2


def test_each_image_of_a_focus_series_is_the_one_of_its_defocus_and_tilt():
    defoci, tilts = [0.3, -0.2, 1.0], [0.0, 30.0]
    series = difftem.simulate(
        atoms(), focus_series_um=defoci, tilts_deg=tilts, exposures=2, **SMALL
    )
    assert series.micrographs.shape == (12, 48, 64)
    assert "of a focus series, the tables of truth name the first image only" in series.messages
    pairs = [(tilt, defocus) for tilt in tilts for defocus in defoci]
    assert [*zip(series.tilts_deg, series.defoci_um, strict=True)] == pairs
    for index, (tilt, defocus) in enumerate(pairs):
        alone = difftem.simulate(atoms(), defocus_um=defocus, tilts_deg=[tilt], **SMALL)
        torch.testing.assert_close(series.noise_free[index], alone.noise_free[0])


def test_the_exit_wave_of_a_file_makes_the_image_through_a_lens(tmp_path):
    given = {**SMALL, **IDEAL, "tilts_deg": [0.0, 20.0], "dose_e_per_a2": 10.0}
    result = difftem.simulate(atoms(), defocus_um=0.4, exit_wave=True, **given)
    folder = result.save(tmp_path / "out")
    facts = json.loads((folder / "run.json").read_text("utf-8"))["exit_wave"]
    with mrcfile.open(folder / "exit_wave.mrc") as file:
        waves, pixel_size = torch.tensor(file.data), float(file.voxel_size.x)
    assert waves.shape == (2, *result.sampling.wave_shape)
    assert pixel_size == pytest.approx(0.6 * 1.5)
    assert (facts["energy_ev"], facts["tilt_deg"]) == (200e3, [0.0, 20.0])
    # The sum of intensities is that of the beam: the potential is real in vacuum.
    assert waves.abs().square().mean().item() == pytest.approx(1.0, abs=2e-3)
    lens = Lens(pixel_size, 0.4, cs_mm=1.2, cc_mm=0.0, source_semiangle_mrad=0.0)
    for number, height in enumerate(facts["plane_above_middle_angstrom"]):
        image = lens(waves[number], Beam(200.0), height).abs().square()
        expected = on_pixels(image, result)
        noise_free = result.noise_free[number].float()
        contrast = noise_free.std()
        assert (expected - noise_free).abs().max() < 2e-3 * contrast


@pytest.mark.skipif(None in (find_spec("abtem"), find_spec("ase")), reason="needs difftem[peers]")
def test_abtem_makes_our_image_from_our_exit_wave(tmp_path):
    import abtem

    given = {**SMALL, **IDEAL, "dose_e_per_a2": 10.0}
    result = difftem.simulate(atoms(), defocus_um=0.4, exit_wave=True, **given)
    folder = result.save(tmp_path / "out")
    facts = json.loads((folder / "run.json").read_text("utf-8"))["exit_wave"]
    with mrcfile.open(folder / "exit_wave.mrc") as file:
        wave, pixel_size = np.array(file.data), float(file.voxel_size.x)
    # abTEM's arrays are (x, y).
    waves = abtem.Waves(wave.T, energy=facts["energy_ev"], sampling=pixel_size)
    underfocus = 0.4e4 + facts["plane_above_middle_angstrom"][0]
    ctf = abtem.CTF(energy=200e3, defocus=underfocus, Cs=1.2e7)
    image = np.asarray(waves.apply_ctf(ctf).intensity().array).T
    theirs = on_pixels(torch.tensor(image), result)
    ours = result.noise_free[0].float()
    assert torch.corrcoef(torch.stack([theirs.flatten(), ours.flatten()]))[0, 1] > 0.999


def test_images_are_written_in_the_format_that_is_asked_for(tmp_path):
    pytest.importorskip("zarr")
    given = {**SMALL, "focus_series_um": [0.3, 0.6]}
    tiff = difftem.simulate(atoms(), format="tiff", exit_wave=True, **given)
    out = tiff.save(tmp_path / "out")
    stacks = {path.name for path in out.iterdir()} & {
        f"{n}{s}"
        for n in ("micrograph", "noise_free", "exit_wave")
        for s in (".mrc", ".tif", ".zarr")
    }
    assert stacks == {"micrograph.tif", "noise_free.tif", "exit_wave.tif"}
    assert np.array_equal(tifffile.imread(out / "micrograph.tif"), tiff.micrographs.float())
    for name, above in (
        ("micrograph.tif", ["defocus 0.3 um", "defocus 0.6 um"]),
        ("exit_wave.tif", ["real part", "imaginary part"]),
    ):
        with tifffile.TiffFile(out / name) as file:
            assert file.imagej_metadata["Labels"] == above
    images = json.loads((out / "run.json").read_text("utf-8"))["images"]
    assert images == [{"tilt_deg": 0.0, "defocus_um": each} for each in (0.3, 0.6)]
    config = dataclasses.replace(
        tiff.config, files=dataclasses.replace(tiff.config.files, format="zarr", exit_wave=False)
    )
    for _ in range(2):  # the second one replaces folders
        dataclasses.replace(tiff, config=config, exit_waves=None).save(out, overwrite=True)
        assert not [*out.glob("*.tif")]
    import zarr

    opened = zarr.open_array(out / "micrograph.zarr", mode="r")
    assert np.array_equal(opened[...], tiff.micrographs.float())
    assert opened.attrs["defocus_um"] == [0.3, 0.6]
    dataclasses.replace(tiff, config=dataclasses.replace(config, files=type(config.files)())).save(
        out, overwrite=True
    )
    assert not [*out.glob("*.zarr")]
    assert read_mrc(out / "micrograph.mrc").data.shape == (2, 48, 64)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"focus_series_um": []}, "exposure.focus_series_um must not be empty"),
        ({"focus_series_um": [1.0, 2e4]}, "exposure.focus_series_um must be within 1000 µm, got 2"),
        ({"format": "png"}, "files.format: expected one of mrc, tiff, zarr, got 'png'"),
    ],
)
def test_impossible_series_and_formats_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        difftem.simulate(atoms(), **given, **SMALL)
