"""An input file of TEM-simulator that needs no other file and runs in a tenth of a second."""

INPUT = """=== simulation ===
generate_micrographs = yes
log_file = run.log
rand_seed = 3
=== sample ===
diameter = 500
thickness_center = 40
thickness_edge = 60
=== particle blob ===
source = random
nx = 12
ny = 13
nz = 14
voxel_size = 1
contrast_re = 3
contrast_im = 0.3
smoothness = 2
=== particleset ===
particle_type = blob
particle_coords = grid
nx = 2
ny = 2
nz = 1
particle_dist = 16
coord_file_out = places.txt
=== geometry ===
ntilts = 2
theta_start = -5
theta_incr = 10
geom_file_out = tilts.txt
=== electronbeam ===
acc_voltage = 200
energy_spread = 1.3
dose_per_im = 2000
dose_file_out = doses.txt
=== optics ===
magnification = 30000
cs = 2
cc = 2
aperture = 50
focal_length = 3
cond_ap_angle = 0.1
defocus_nominal = 3
defocus_file_out = defoci.txt
=== detector ===
det_pix_x = 64
det_pix_y = 48
padding = 4
pixel_size = 30
gain = 10
use_quantization = no
mtf_a = 0.7
mtf_b = 0.2
mtf_c = 0.1
mtf_alpha = 10
mtf_beta = 40
image_file_out = clean.mrc
"""
NOISY = INPUT[INPUT.index("=== detector") :].replace("clean", "noisy")
NOISY = NOISY.replace("use_quantization = no", "use_quantization = yes\ndqe = 0.4")
