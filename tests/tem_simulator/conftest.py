import pytest

MICROGRAPHS = """# a comment
=== simulation ===
generate_micrographs = yes
=== sample ===
diameter = 500
thickness_center = 40
thickness_edge = 80
=== particle virus ===
source = random
nx = 20
ny = 30
nz = 40
voxel_size = 0.5
contrast_re = 3
contrast_im = 1
smoothness = 2
=== particleset ===
particle_type = virus
particle_coords = random
num_particles = 5
=== geometry ===
ntilts = 3
theta_start = -2
theta_incr = 2
=== electronbeam ===
acc_voltage = 300
energy_spread = 0.7
dose_per_im = 100
=== optics ===
magnification = 50000
cs = 2.7
cc = 2
aperture = 70
focal_length = 3.5
cond_ap_angle = 0.05
defocus_nominal = 2
=== detector one ===
det_pix_x = 64
det_pix_y = 48
pixel_size = 14
gain = 10
dqe = 0.4
mtf_a = 0.7
mtf_b = 0.2
mtf_c = 0.1
mtf_alpha = 10
mtf_beta = 40
image_file_out = one.mrc
"""


@pytest.fixture
def write_input(tmp_path):
    """Write an input file after replacements of text, and return its path."""

    def write(*changes, text=MICROGRAPHS):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "input.txt"
        path.write_bytes(text.encode())
        return path

    return write


@pytest.fixture
def micrographs():
    """Text of an input file that needs no other file."""
    return MICROGRAPHS
