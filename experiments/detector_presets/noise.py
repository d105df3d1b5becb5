"""Compare the noise of real micrographs with that of the presets, and say what DQE follows.

python -m experiments.detector_presets.noise FOLDER_OF_MICROGRAPHS
"""

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

from difftem.analysis.dqe import relative_dqe
from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram
from difftem.io.mrc import read_mrc
from difftem.modules import Detector
from difftem.presets import detector_presets
from experiments._base.results import markdown_table, write_readme

HERE = Path(__file__).parent
MICROGRAPHS = {  # in a folder that is not part of difftem
    "k2_300kv": "krios_k2_300kV_crop2048.mrc",
    "falcon3ec_300kv": "krios_falcon3EC_300kV_crop2048.mrc",
}
CROP, HALF_WIDTH = 256, 0.01  # pixels, cycles/pixel
RATIOS = ((0.48, 0.25), (0.48, 0.30), (0.48, 0.15))  # cycles/pixel
OUTLIER = 8.0  # standard deviations of a pixel that is replaced by the median
VACUUM, RATE = (200, CROP, CROP), 20.0  # crops, e/pixel


def noise_ratios(
    images: Tensor,  # (..., y, x)
    window: str = "none",
) -> list[float]:
    """Ratios of the noise power at the frequencies of `RATIOS`, without the axes' artefacts."""
    keep = torch.ones(images.shape[-2], images.shape[-1] // 2 + 1, dtype=torch.bool)
    keep[0, :], keep[:, 0] = False, False
    shape = (images.shape[-2], images.shape[-1])
    rings = collapse_rings(mean_periodogram(images, window), shape, keep=keep)

    def power(frequency: float) -> float:
        near = (rings.frequency - frequency).abs() < HALF_WIDTH
        weight = rings.ordinates[near]
        return float((weight * rings.power[near]).sum() / weight.sum())

    return [power(high) / power(low) for high, low in RATIOS]


def crops(
    path: Path,
) -> Tensor:  # (n, y, x)
    """Overlapping crops of a whole micrograph, its hot pixels taken out."""
    image = torch.from_numpy(read_mrc(path).data.astype("float64"))
    middle = image.median()
    deviation = 1.4826 * (image - middle).abs().median()
    image = torch.where((image - middle).abs() > OUTLIER * deviation, middle, image)
    step = CROP // 2
    return image.unfold(0, CROP, step).unfold(1, CROP, step).reshape(-1, CROP, CROP)


def vacuum(name: str) -> Tensor:  # (n, y, x)
    """Flat fields of a preset."""
    detector, generator = Detector.from_preset(name), torch.Generator().manual_seed(0)
    expected = torch.full(VACUUM, RATE)
    counts = torch.poisson(detector.rate(expected), generator=generator)
    return detector(counts, expected, generator)


def dqe(name: str) -> list[float]:
    """DQE of a preset at 0, half of Nyquist and Nyquist."""
    detector, frequency = Detector.from_preset(name), torch.tensor([0.0, 0.25, 0.5])
    with torch.no_grad():
        mtf, ntf = detector.mtf(frequency), (detector.ntf or detector.mtf)(frequency)
        return relative_dqe(mtf, ntf, float(detector.dqe0)).tolist()


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("micrographs", type=Path)
    folder = parser.parse_args().micrographs
    rows = []
    for name in detector_presets():
        simulated = [f"{ratio:.3f}" for ratio in noise_ratios(vacuum(name))]
        real = ["", "", ""]
        if name in MICROGRAPHS:
            real = [f"{r:.3f}" for r in noise_ratios(crops(folder / MICROGRAPHS[name]), "hann")]
        efficiency = [f"{value:.2f}" for value in dqe(name)]
        rows.append([name, *real, *simulated, *efficiency])
    ratios = [f"{high:g} / {low:g}" for high, low in RATIOS]
    columns = ["preset", *(f"real {r}" for r in ratios), *(f"preset {r}" for r in ratios)]
    table = markdown_table([*columns, "DQE(0)", "DQE(0.25)", "DQE(0.5)"], rows)
    pixel = math.sin(math.pi / 2) / (math.pi / 2)
    table += f"\n\nA square pixel's own sinc² at 0.5 cycles/pixel is {pixel**2:.3f}."
    print(table)
    write_readme(HERE, "noise.py", table)


if __name__ == "__main__":
    main()
