"""Parameters that an input file gives and that mean nothing there are named."""

import pytest

from difftem.tem_simulator.files.reader import read_input

SIMULATION = "=== simulation ===\ngenerate_micrographs = no\n"
PDB = "=== particle p ===\nsource = random\nnx = 4\nny = 4\nnz = 4\nvoxel_size = 1\n"
RANDOM = PDB + "contrast_re = 1\ncontrast_im = 1\nsmoothness = 1\n"
BEAM = "=== electronbeam ===\nacc_voltage = 200\nenergy_spread = 1\ntotal_dose = 100\n"
OPTICS = (
    "=== optics ===\nmagnification = 25000\ncs = 2\ncc = 2.2\naperture = 40\nfocal_length = 2.7\n"
    "cond_ap_angle = 0.1\ndefocus_nominal = 2\n"
)
TILTS = "=== geometry ===\nntilts = 1\ntheta_start = 0\ntheta_incr = 1\n"
DETECTOR = (
    "=== detector ===\ndet_pix_x = 8\ndet_pix_y = 8\npixel_size = 15\ngain = 10\nmtf_a = 1\n"
    "mtf_b = 0\nmtf_c = 0\nmtf_alpha = 1\nmtf_beta = 1\nimage_file_out = a.mrc\n"
)
SET = "=== particleset ===\nparticle_type = p\n"
GRID = SET + "particle_coords = grid\nnx = 1\nny = 1\nnz = 1\nparticle_dist = 9\n"


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (RANDOM, []),
        (
            RANDOM + "pdb_file_in = a.pdb\nfamp = 0.1\n",
            [
                "pdb_file_in has no effect with source = random",
                "famp has no effect with use_imag_pot = yes",
            ],
        ),
        (
            RANDOM + "use_imag_pot = no\nfamp = 0.1\n",
            ["contrast_im has no effect with use_imag_pot = no"],
        ),
        (BEAM, []),
        (BEAM + "dose_file_in = d.txt\n", ["dose_file_in has no effect with gen_dose = yes"]),
        (
            BEAM + "gen_dose = no\ndose_sd = 1\ndose_file_in = d.txt\n",
            ["total_dose, dose_sd have no effect with gen_dose = no"],
        ),
        (OPTICS, []),
        (
            OPTICS + "gen_defocus = no\ndefocus_file_in = d.txt\n",
            ["defocus_nominal has no effect with gen_defocus = no"],
        ),
        (TILTS, []),
        (
            TILTS + "tilt_err = 1\nerror_file_in = d.txt\ngeom_file_in = d.txt\n",
            [
                "geom_file_in has no effect with gen_tilt_data = yes",
                "error_file_in has no effect with geom_errors = none",
                "tilt_err has no effect with geom_errors = none",
            ],
        ),
        (TILTS + "tilt_err = 1\ngeom_errors = random\n", []),
        (DETECTOR + "dqe = 0.4\n", []),
        (
            DETECTOR + "dqe = 0.4\nuse_quantization = no\n",
            ["dqe has no effect with use_quantization = no"],
        ),
        (RANDOM + GRID + "offset_x = 3\n", []),
        (
            RANDOM + GRID + "num_particles = 3\nwhere = top\n",
            ["num_particles, where have no effect with particle_coords = grid"],
        ),
        (
            RANDOM + SET + "particle_coords = file\ncoord_file_in = d.txt\noccupancy = 0.1\n",
            ["occupancy has no effect with particle_coords = file"],
        ),
        (
            RANDOM + SET + "particle_coords = random\nnum_particles = 3\nnx = 3\n",
            ["nx has no effect with particle_coords = random"],
        ),
    ],
)
def test_what_has_no_effect_is_named_with_the_setting_that_is_the_reason(tmp_path, text, notes):
    (tmp_path / "d.txt").write_text("1 6\n1 2 3 4 5 6\n")
    path = tmp_path / "input.txt"
    path.write_text(SIMULATION + text)
    found = read_input(path).unused
    assert [note.split(": ", 2)[2] for note in found] == notes


def test_the_input_of_tmv_has_a_detector_without_noise_and_its_dqe_is_named(shared_data, tmp_path):
    path = shared_data / "temsim" / "input_TMV" / "input_TMV.txt"
    unused = read_input(path, output_folder=tmp_path).unused
    assert unused == ["line 202: detector: dqe has no effect with use_quantization = no"]
