"""Runs of the commands whose memory is predicted and measured."""

from dataclasses import dataclass
from pathlib import Path

APOFERRITIN = "[{source: apoferritin, count: %d}]"
PHANTOM = "[{name: ball, source: phantom, count: 20}]"
SLICES = ["--sampling.slice_thickness_nm", "5"]


@dataclass(frozen=True)
class MemoryCase:
    """Command line of a run; `text` is an input file of TEM-simulator that comes first."""

    name: str
    arguments: tuple[str, ...]
    text: str | None = None

    def command(self, folder: Path) -> list[str]:
        """Words of the command, its files in a folder that is there."""
        words, output = list(self.arguments), ["--output", str(folder / "out")]
        if self.text is not None:
            (folder / "input.txt").write_text(self.text, "utf-8")
            words.insert(1, str(folder / "input.txt"))
        if words[0] == "generate":
            output += ["--cache", str(folder / "cache")]
        return words + output


def _simulate(name: str, size: int, pixel_size: float, copies: int, *more: str) -> MemoryCase:
    """Image copies of apoferritin."""
    field = ["--sampling.size", f"[{size}, {size}]", "--sampling.pixel_size", str(pixel_size)]
    words = ("simulate", *field, "--copies.count", str(copies), *more)
    return MemoryCase(f"simulate, {name}", words)


def _generate(name: str, size: int, pixel_size: float, particles: str, *more: str) -> MemoryCase:
    """Scenes, their templates not in the cache."""
    field = ["--sampling.size", f"[{size}, {size}]", "--sampling.pixel_size", str(pixel_size)]
    return MemoryCase(f"generate, {name}", ("generate", *field, "--particles", particles, *more))


def _tem_simulator(name: str, pixels: int, voxels: int, tilts: int) -> MemoryCase:
    """Blobs of random potential."""
    text = f"""=== simulation ===
generate_micrographs = yes
rand_seed = 3
=== sample ===
diameter = 500
thickness_center = 40
thickness_edge = 60
=== particle blob ===
source = random
nx = {voxels}
ny = {voxels}
nz = {voxels}
voxel_size = {20 / voxels}
contrast_re = 3
contrast_im = 0.3
smoothness = 2
=== particleset ===
particle_type = blob
particle_coords = grid
nx = 2
ny = 2
nz = 1
particle_dist = 25
=== geometry ===
ntilts = {tilts}
theta_start = 0
theta_incr = 10
=== electronbeam ===
acc_voltage = 200
energy_spread = 1.3
dose_per_im = 2000
=== optics ===
magnification = 30000
cs = 2
cc = 2
aperture = 50
focal_length = 3
cond_ap_angle = 0.1
defocus_nominal = 3
=== detector ===
det_pix_x = {pixels}
det_pix_y = {pixels}
padding = 8
pixel_size = 15
gain = 10
use_quantization = yes
dqe = 0.4
mtf_a = 0.7
mtf_b = 0.2
mtf_c = 0.1
mtf_alpha = 10
mtf_beta = 40
image_file_out = image.mrc
"""
    return MemoryCase(f"TEM-simulator, {name}", ("simulate",), text)


CASES = (
    _simulate("256² of 2 Å", 256, 2.0, 1, *SLICES),
    _simulate("1024² of 1 Å", 1024, 1.0, 1, *SLICES),
    _simulate("2048² of 2 Å, fast", 2048, 2.0, 1, *SLICES, "--sampling.band", "fast"),
    _simulate(
        "768² of 2 Å, 16 copies, beam tilt",
        768,
        2.0,
        16,
        *SLICES,
        "--microscope.beam_tilt_mrad",
        "[1, 0]",
    ),
    _generate("512² of 2 Å", 512, 2.0, APOFERRITIN % 10),
    _generate("512² of 1 Å", 512, 1.0, APOFERRITIN % 10),
    _generate(
        "2048² of 3 Å, astigmatic",
        2048,
        3.0,
        APOFERRITIN % 50,
        "--microscope.astigmatism_um",
        "0.05",
    ),
    _generate(
        "1024² of 4 Å, 5 tilts", 1024, 4.0, PHANTOM, "--exposure.tilts_deg", "[-40, -20, 0, 20, 40]"
    ),
    _tem_simulator("1024², 3 tilts", 1024, 20, 3),
    _tem_simulator("256², map of 192³", 256, 192, 1),
)
SMOKE = (_simulate("64² of 6 Å", 64, 6.0, 1), _tem_simulator("64²", 64, 16, 1))
