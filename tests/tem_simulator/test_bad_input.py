import pytest

from difftem.io.errors import InputError
from difftem.tem_simulator.files.reader import read_input


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dqe = 0.4",
            "dqe = 4",
            r"line 42: detector: dqe must be a number from 0\.01 to 1, got '4'",
        ),
        ("nx = 20", "nx = 1001", "particle: nx must be a whole number from 1 to 1000 voxels"),
        ("nx = 20", "nx = 2.5", "nx must be a whole number from 1 to 1000 voxels, got '2.5'"),
        ("voxel_size = 0.5", "voxel_size = 11", r"a number from 0\.01 to 10 nm, got '11'"),
        ("det_pix_y = 48", "det_pix_y = 10001", "whole number from 1 to 10000 pixels"),
        ("mtf_a = 0.7", "mtf_a = 1.5", "mtf_a must be a number from 0 to 1, got '1.5'"),
        ("gain = 10", "gain = 10\nmtf_p = 11", "mtf_p must be a number from 0 to 10, got '11'"),
        ("cs = 2.7", "cs = nan", "optics: cs must be a number mm, got 'nan'"),
        ("cs = 2.7", "cs = 2,7", "cs must be a number mm, got '2,7'"),
        ("magnification = 50000", "magnification = 0", "magnification must be a number above 0"),
        ("generate_micrographs = yes", "generate_micrographs = maybe", "must be yes or no, got"),
        (
            "particle_coords = random",
            "particle_coords = here",
            "file or grid or random, got 'here'",
        ),
        ("image_file_out = one.mrc", 'image_file_out = ""', "must be a file name, got ''"),
        ("dqe = 0.4\n", "", "detector: dqe is missing, needed with use_quantization = yes"),
        ("gain = 10\n", "", "line 37: detector: gain is missing"),
        ("ntilts = 3\n", "", "geometry: ntilts is missing, needed with gen_tilt_data = yes"),
        ("dose_per_im = 100\n", "", "total_dose or dose_per_im is missing, needed with gen_dose"),
        ("num_particles = 5\n", "", "num_particles or particle_conc or occupancy is missing"),
        ("contrast_im = 1\n", "", "contrast_im is missing, needed with source = random"),
        ("contrast_im = 1", "use_imag_pot = no", "famp is missing, needed with source = random"),
        ("source = random", "source = pdb", "pdb_file_in is missing, needed with source = pdb"),
        ("source = random", "source = map", "map_file_re_in is missing, needed with source = map"),
        ("= random\nnum", "= file\nnum", "coord_file_in is missing, needed with particle_coords"),
        ("= random\nnum", "= grid\nnum", "particleset: nx is missing, needed with particle_coords"),
        ("ntilts = 3", "gen_tilt_data = no", "geom_file_in is missing, needed with gen_tilt_data"),
        ("ntilts = 3", "ntilts = 3\ngeom_errors = file", "error_file_in is missing, needed with"),
        (
            "dose_per_im = 100",
            "gen_dose = no",
            "dose_file_in is missing, needed with gen_dose = no",
        ),
        ("defocus_nominal = 2", "gen_defocus = no", "defocus_file_in is missing"),
        ("defocus_nominal = 2\n", "", "defocus_nominal is missing, needed with gen_defocus = yes"),
        ("mtf_a = 0.7\nmtf_b = 0.2\nmtf_c = 0.1", "mtf_a = 0\nmtf_b = 0\nmtf_c = 0", "above 0"),
        ("particle_type = virus", "particle_type = phage", r"\(virus\), got 'phage'"),
        ("=== particle virus ===", "=== particle ===", "needs a name, as in '=== particle TMV ==="),
        ("=== sample ===", "=== simple ===", "line 4: component must be one of simulation, sample"),
        ("=== sample ===", "=====", r"line 4: expected '=== type ===' or '=== type name ==='"),
        ("=== sample ===", "=== optics ===", "optics: magnification is missing"),
        ("=== optics ===", "=== sample ===", "line 29: there is a component sample already"),
        ("=== simulation ===\n", "", "line 2: expected a component as '=== simulation ===' first"),
        ("gain = 10", "gain 10", "line 41: expected 'parameter = value', got 'gain 10'$"),
        ("gain = 10", " # x", r"got '# x' \(a comment has # in column 1\)"),
        ("gain = 10", "gain = ", "line 41: gain has no value"),
        ("image_file_out = one.mrc", 'image_file_out = "one', "image_file_out has no closing quot"),
        ("image_file_out = one.mrc", "image_file_out = no/one.mrc", "there is no folder .*no$"),
        ("image_file_out = one.mrc", "image_file_out = input.txt", "is also the input file"),
    ],
)
def test_bad_input_is_refused_in_one_line(write_input, old, new, message):
    with pytest.raises(InputError, match=message) as error:
        read_input(write_input((old, new)))
    assert str(error.value).count("\n") == 0
    assert "input.txt: " in str(error.value)


@pytest.mark.parametrize(
    "headline", ["sample", "geometry", "electronbeam", "optics", "detector one"]
)
def test_a_component_that_micrographs_need_is_named(write_input, headline, micrographs):
    sections = micrographs.split("=== ")
    (text,) = (section for section in sections if section.startswith(f"{headline} ==="))
    kind = headline.split()[0]
    with pytest.raises(InputError, match=f"there is no component === {kind} ===, needed for mic"):
        read_input(write_input(("=== " + text, "")))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("generate_volumes", "no component === volume ===, needed for volumes"),
        ("generate_particle_maps", "no component === particle ===, needed for particle maps"),
    ],
)
def test_a_component_that_maps_need_is_named(write_input, task, message):
    sample = "=== sample ===\ndiameter=9\nthickness_center=9\nthickness_edge=9\n"
    with pytest.raises(InputError, match=message):
        read_input(write_input(text=f"=== simulation ===\n{task} = yes\n{sample}"))


def test_no_file_is_written_twice_or_over_one_that_is_read(write_input, tmp_path, micrographs):
    detector = "=== detector" + micrographs.split("=== detector one")[1]
    with pytest.raises(InputError, match=r"one\.mrc is also image_file_out of .*line 37: detector"):
        read_input(write_input(text=micrographs + detector))
    (tmp_path / "c.txt").write_text("1 6\n0 0 0 0 0 0\n")
    random = "random\nnum_particles = 5"
    inout = "file\ncoord_file_in = c.txt\ncoord_file_out = c.txt"
    with pytest.raises(InputError, match=r"coord_file_out: .*c\.txt is also coord_file_in of"):
        read_input(write_input((random, inout)))
    unused = "random\nnum_particles = 5\ncoord_file_in = c.txt\ncoord_file_out = c.txt"
    assert read_input(write_input((random, unused))).particlesets[0].coord_file_out.name == "c.txt"


def test_two_particles_of_one_name_are_refused(write_input, micrographs):
    particle = (
        "=== particle virus" + micrographs.split("=== particle virus")[1].split("=== part")[0]
    )
    with pytest.raises(InputError, match="there is a particle virus already"):
        read_input(write_input(text=micrographs + particle))


def test_missing_foreign_and_empty_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: no such file"):
        read_input(tmp_path / "none.txt")
    (tmp_path / "image.mrc").write_bytes(b"\0" * 1024)
    with pytest.raises(InputError, match=r"image\.mrc: not a text file"):
        read_input(tmp_path / "image.mrc")
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(InputError, match=r"there is no component === simulation ==="):
        read_input(tmp_path / "empty.txt")
