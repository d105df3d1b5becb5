import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from difftem.io.errors import InputError
from difftem.io.frames import read_frames
from difftem.io.mrc import write_mrc


@pytest.fixture
def counts():
    """Two exposures of 40 x 48 pixels with 300 electrons each."""
    return np.random.default_rng(0).poisson(300, (2, 40, 48))


def write(path, data, pixel_size=1.5):
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.voxel_size = pixel_size
    return path


def assert_clipping(path, data, *notes):
    found = read_frames(write(path, data)).notes
    assert len(found) == len(notes)
    for note, start in zip(found, notes, strict=True):
        assert note.startswith(start), note


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.float32])
def test_mrc_of_every_depth_is_read_as_it_is(tmp_path, counts, dtype):
    data = (counts // 4 if dtype == np.int8 else counts).astype(dtype)
    frames = read_frames(write(tmp_path / "a.mrc", data))
    np.testing.assert_array_equal(frames.data, data)
    assert frames.data.dtype == dtype
    assert frames.pixel_size == pytest.approx(1.5)
    assert read_frames(write(tmp_path / "one.mrc", data[0])).data.shape == (1, 40, 48)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_of_every_depth_is_read_as_it_is(tmp_path, counts, dtype, compression):
    data = (counts // 2 if dtype == np.uint8 else counts).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression)
    frames = read_frames(tmp_path / "a.tif")
    np.testing.assert_array_equal(frames.data, data)
    assert frames.pixel_size is None


def test_lzw_compressed_tiff_is_left_to_pillow(tmp_path, counts):
    pages = [Image.fromarray(page.astype(np.uint16)) for page in counts]
    pages[0].save(
        tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=pages[1:]
    )
    np.testing.assert_array_equal(read_frames(tmp_path / "a.tif").data, counts)


def test_pixel_size_of_a_tiff_is_its_resolution_unless_that_is_a_printers(tmp_path, counts):
    data = counts.astype(np.uint16)
    imagej = tmp_path / "imagej.tif"  # as DigitalMicrograph's images leave ImageJ
    tifffile.imwrite(
        imagej, data, imagej=True, resolution=(10 / 0.8, 10 / 0.8), metadata={"unit": "nm"}
    )
    assert read_frames(imagej).pixel_size == pytest.approx(0.8, rel=1e-4)
    tifffile.imwrite(
        tmp_path / "cm.tif", data, resolution=(1e8 / 1.25, 1e8 / 1.25), resolutionunit=3
    )
    assert read_frames(tmp_path / "cm.tif").pixel_size == pytest.approx(1.25)
    tifffile.imwrite(tmp_path / "dpi.tif", data, resolution=(72, 72), resolutionunit=2)
    assert read_frames(tmp_path / "dpi.tif").pixel_size is None


def test_pixels_of_atomic_resolution_are_believed(tmp_path, counts):
    data = counts[0].astype(np.uint16)
    assert read_frames(write(tmp_path / "a.mrc", data, 0.0489)).pixel_size == pytest.approx(0.0489)
    assert read_frames(write(tmp_path / "b.mrc", data, 0.005)).pixel_size is None


def test_dose_and_pixel_size_come_from_an_mdoc_or_an_fei_header(tmp_path, counts):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, counts.astype(np.uint16))
    (tmp_path / "a.tif.mdoc").write_text(
        "PixelSpacing = 2.5\n\n[ZValue = 0]\nPixelSpacing = 2.5\nExposureDose = 31.5\n"
    )
    frames = read_frames(path)
    assert (frames.pixel_size, frames.dose_e_per_a2) == (2.5, 31.5)
    fei = mrcfile.dtypes.get_ext_header_dtype(b"FEI1")
    header = np.zeros(1, dtype=fei)
    header["Metadata size"], header["Metadata version"] = fei.itemsize, 0
    header["Dose"], header["Pixel size X"] = 42e20, 0.8e-10
    with mrcfile.new(tmp_path / "fei.mrc", data=counts[0].astype(np.int16)) as mrc:
        mrc.set_extended_header(header)
        mrc.header.exttyp = b"FEI1"
    frames = read_frames(tmp_path / "fei.mrc")
    assert frames.dose_e_per_a2 == pytest.approx(42)
    assert frames.pixel_size == pytest.approx(0.8)


def test_signed_and_unsigned_integers_are_told_apart(tmp_path):
    noise = np.random.default_rng(0).normal(0, 800, (64, 64)).round().astype(np.int64)
    # Unsigned values around 2^15 under mode 1, signed ones around 1000 under mode 6.
    frames = read_frames(write(tmp_path / "a.mrc", (noise + 2**15).astype(np.int16)))
    np.testing.assert_array_equal(frames.data[0], noise + 2**15)
    assert frames.notes == [
        "signed 16-bit values are unsigned ones (MRC mode 1 written for mode 6): read as unsigned"
    ]
    frames = read_frames(write(tmp_path / "b.mrc", (noise + 1000).astype(np.uint16)))
    np.testing.assert_array_equal(frames.data[0], noise + 1000)
    assert frames.notes == ["unsigned 16-bit values are signed ones (MRC mode 6): read as signed"]
    frames = read_frames(write(tmp_path / "c.mrc", (noise // 40 + 128).astype(np.int8)))
    np.testing.assert_array_equal(frames.data[0], noise // 40 + 128)
    assert "read as unsigned" in frames.notes[0]


def test_sums_that_ran_over_are_put_back(tmp_path):
    values = np.random.default_rng(0).normal(2**16 - 900, 800, (64, 64)).round().astype(np.int64)
    frames = read_frames(write(tmp_path / "a.mrc", values.astype(np.uint16)))
    np.testing.assert_array_equal(frames.data[0], values)
    share = (values >= 2**16).mean()
    assert frames.notes == [
        f"integer overflow: {share:.2%} of the values ran over 2^16 and were put back"
    ]


def test_ordinary_integers_near_the_middle_and_the_ends_are_left_alone(tmp_path, shared_data):
    noise = np.random.default_rng(0).normal(0, 800, (64, 64)).round().astype(np.int64)
    for name, data in {
        "a.mrc": (noise + 2**15).astype(np.uint16),
        "b.mrc": noise.astype(np.int16),
        "c.mrc": (noise - 2**15 + 4000).astype(np.int16),
    }.items():
        frames = read_frames(write(tmp_path / name, data))
        np.testing.assert_array_equal(frames.data[0], data)
        assert frames.notes == []
    # A detector with an offset near -2^15.
    assert read_frames(shared_data / "tilt_series/HAADF.mrc").data.min() < -20000


def test_eight_bits_and_clipping_are_noted_with_their_share(tmp_path):
    image = np.random.default_rng(0).normal(128, 40, (128, 128))
    tifffile.imwrite(tmp_path / "a.tif", image.clip(0, 255).round().astype(np.uint8))
    (note,) = read_frames(tmp_path / "a.tif").notes
    low, high = (image <= 0.5).mean(), (image >= 254.5).mean()
    assert note.startswith(
        f"8-bit image: {low:.3%} of the pixels at the lowest value 0, {high:.3%} at the highest 255"
    )
    clipped = image.clip(60, 200)
    low, high = (image <= 60).mean(), (image >= 200).mean()
    expected = (
        f"clipped: {low:.3%} of the pixels at the lowest value 60",
        f"clipped: {high:.3%} of the pixels at the highest value 200",
    )
    assert_clipping(tmp_path / "b.mrc", clipped.astype(np.float32), *expected)
    assert_clipping(tmp_path / "c.mrc", clipped.round().astype(np.int16), *("clipped",) * 2)


def test_counted_electrons_are_not_taken_for_clipped(tmp_path):
    rng = np.random.default_rng(0)
    for index, dose in enumerate((0.02, 0.5, 3.0, 30.0)):
        counts = rng.poisson(dose, (128, 128)).astype(np.uint8)
        tifffile.imwrite(tmp_path / f"{index}.tif", counts)
        notes = read_frames(tmp_path / f"{index}.tif").notes
        assert notes == [] or counts.max() >= 64


def test_images_without_information_are_refused(tmp_path, counts):
    with pytest.raises(InputError, match=r"a\.mrc: constant image: every pixel is 7$"):
        read_frames(write(tmp_path / "a.mrc", np.full((8, 8), 7, dtype=np.int16)))
    data = counts.astype(np.float32)
    data[1] = 0
    with pytest.raises(InputError, match=r"b\.mrc: constant image 2 of 2: every pixel is 0$"):
        read_frames(write(tmp_path / "b.mrc", data))
    tifffile.imwrite(tmp_path / "c.tif", np.full((8, 8), np.nan, dtype=np.float32))
    with pytest.raises(InputError, match=r"c\.tif: image has no finite value"):
        read_frames(tmp_path / "c.tif")


def test_files_that_are_no_images_are_named(tmp_path, counts):
    for name, message in {"none.tif": "no such file", "a.dm4": "export the image as TIFF"}.items():
        with pytest.raises(InputError, match=f"{name}: .*{message}"):
            read_frames(tmp_path / name)
    for name, message in {
        "a.png": "a picture for the eye, not the counts of a camera; expected MRC or TIFF",
        "mtf.star": "a STAR file holds tables, not images",
    }.items():
        (tmp_path / name).write_text("anything")
        with pytest.raises(InputError, match=f"{name}: {message}"):
            read_frames(tmp_path / name)
    (tmp_path / "text.tif").write_text("not an image")
    with pytest.raises(InputError, match=r"text\.tif: not a whole TIFF file: not a TIFF"):
        read_frames(tmp_path / "text.tif")
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    with pytest.raises(InputError, match=r"rgb\.tif: has 3 colour channels"):
        read_frames(tmp_path / "rgb.tif")
    tifffile.imwrite(
        tmp_path / "planes.tif",
        np.zeros((3, 8, 8), np.uint16),
        photometric="rgb",
        planarconfig="separate",
    )
    with pytest.raises(InputError, match=r"planes\.tif: has 3 .*: photometric='minisblack'"):
        read_frames(tmp_path / "planes.tif")
    tifffile.imwrite(tmp_path / "whole.tif", counts.astype(np.uint16))
    whole = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.tif: not a whole TIFF file"):
        read_frames(tmp_path / "cut.tif")
    write_mrc(tmp_path / "oblong.mrc", counts, (1.0, 2.0, 1.0))
    with pytest.raises(InputError, match=r"pixels are not square: 1 x 2 Å"):
        read_frames(tmp_path / "oblong.mrc")


def pages(path, *images):
    with tifffile.TiffWriter(path) as tiff:
        for image in images:
            tiff.write(image)
    return path


def test_tiff_pages_that_are_not_alike_are_refused(tmp_path, counts):
    one = counts[0].astype(np.float32)
    with pytest.raises(InputError, match=r"a\.tif: page 2 is 48 x 30 pixels \(x, y\) of float32, "):
        read_frames(pages(tmp_path / "a.tif", one, one[:30]))
    with pytest.raises(InputError, match=r"b\.tif: page 2 is 48 x 40 pixels .* of uint16, page 1"):
        read_frames(pages(tmp_path / "b.tif", one, one.astype(np.uint16)))
    colours = np.zeros((40, 48, 3), np.uint8)
    with pytest.raises(InputError, match=r"c\.tif: page 2 has 3 colour channels"):
        read_frames(pages(tmp_path / "c.tif", one.astype(np.uint8), colours))


def test_all_pages_of_a_tiff_file_are_read_however_they_were_written(tmp_path, counts):
    images = [image.astype(np.float32) for image in counts]
    frames = read_frames(pages(tmp_path / "a.tif", *images))
    np.testing.assert_array_equal(frames.data, np.stack(images))


def test_a_truncated_tiff_file_is_not_logged_beside_its_error(tmp_path, counts, caplog, capsys):
    tifffile.imwrite(tmp_path / "whole.tif", counts.astype(np.uint16))
    whole = (tmp_path / "whole.tif").read_bytes()
    for part in (0.02, 0.3, 0.9):
        (tmp_path / "cut.tif").write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(InputError, match=r"cut\.tif: (not a whole TIFF file|no image)"):
            read_frames(tmp_path / "cut.tif")
    assert not [each for each in caplog.records if each.levelname != "INFO"]
    assert capsys.readouterr().err == ""


def test_one_line_says_what_an_image_is_and_what_of_its_header_is_not_used(
    tmp_path, counts, caplog
):
    caplog.set_level("INFO", "difftem")
    data = counts.astype(np.uint16)
    read_frames(write(tmp_path / "a.mrc", data))
    with mrcfile.open(write(tmp_path / "b.mrc", data[0], 1e6), "r+") as mrc:
        mrc.set_extended_header(np.zeros(8, dtype="V16"))
        mrc.header.exttyp = b"SERI"
    read_frames(tmp_path / "b.mrc")
    tifffile.imwrite(tmp_path / "c.tif", data, resolution=(72, 72), resolutionunit=2)
    read_frames(tmp_path / "c.tif")
    (tmp_path / "c.tif.mdoc").write_text("PixelSpacing = 2.5\nExposureDose = 31.5\n")
    read_frames(tmp_path / "c.tif")
    values = f"values {data.min()} to {data.max()}"
    first = f"values {data[0].min()} to {data[0].max()}"
    size = "48 x 40 pixels (x, y)"
    printer = "; not used: resolution of 3.528e+06 Å, a printer's"
    assert caplog.messages == [
        f"a.mrc: 2 images, {size}, uint16 (MRC mode 6), 1.5 Å (header), {values}",
        f"b.mrc: 1 image, {size}, uint16 (MRC mode 6), no pixel size, {first}; not used: extended "
        "header SERI of 128 bytes, pixel size of 1e+06 Å, outside of 0.01 to 100 Å",
        f"c.tif: 2 images, {size}, uint16 (TIFF), no pixel size, {values}{printer}",
        f"c.tif: 2 images, {size}, uint16 (TIFF), 2.5 Å (c.tif.mdoc), {values}, "
        f"31.5 e/Å² (c.tif.mdoc){printer}",
    ]


def test_images_whose_columns_run_along_y_are_transposed_and_volumes_on_their_side_refused(
    tmp_path, counts
):
    path = write(tmp_path / "a.mrc", counts.astype(np.float32))
    for axes, order in (((2, 1, 3), None), ((1, 3, 2), "x z y"), ((3, 2, 1), "z y x")):
        with mrcfile.open(path, "r+") as mrc:
            mrc.header.mapc, mrc.header.mapr, mrc.header.maps = axes
        if order is None:
            np.testing.assert_array_equal(read_frames(path).data, counts.transpose(0, 2, 1))
            continue
        with pytest.raises(InputError, match=f"run along {order}: a volume on its side"):
            read_frames(path)
