"""Measure one case in this process: ``python -m experiments.table1_scale.measure --help``."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
import yaml

from difftem.simulation.config import MicroscopeConfig
from difftem.simulation.device import accelerator_device
from difftem.simulation.freed_memory import keep_freed_memory
from difftem.simulation.messages import collected
from difftem.simulation.paths import with_files
from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.simulation.scene_config import (
    IceConfig,
    ParticleConfig,
    SceneConfig,
    SceneSamplingConfig,
)
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.workflows.generate.item import write_item

CASES = Path(__file__).with_name("cases.yaml")
WARM_ON_GPU = 3  # micrographs after the first one
TOLERANCE = 2e-3  # of the contrast: rounding of float32 in images of 1e7 pixels


class CheckError(Exception):
    """A device whose image is wrong."""


def scene_config(case: dict[str, Any], count: int) -> SceneConfig:
    """Turn a case of ``cases.yaml`` into a scene.

    Parameters
    ----------
    case : dict
        Entry of ``cases``.
    count : int
        Copies of its particle.

    Returns
    -------
    SceneConfig
        With the defaults of `difftem generate` for the rest.
    """
    return SceneConfig(
        particles=[ParticleConfig(**case["particle"], count=count)],
        ice=IceConfig(**case["ice"]),
        sampling=SceneSamplingConfig(**case["sampling"]),
        microscope=MicroscopeConfig(**case["microscope"]),
    )


def device_named(name: str) -> torch.device:
    """Device of a name, refused in one line if it is not there.

    Parameters
    ----------
    name : str
        ``cpu`` or ``cuda``.

    Returns
    -------
    torch.device
        To compute on.

    Raises
    ------
    SystemExit
        With code 2, after one line on standard error.
    """
    try:
        return accelerator_device(name, "device")
    except ValueError as error:
        print(f"table1_scale: error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def measure(
    config: SceneConfig,
    structures: Path,
    device: torch.device | None = None,
    *,
    check: bool = False,
) -> dict[str, Any]:
    """Time template and micrograph, from files to files.

    Parameters
    ----------
    config : SceneConfig
        From `scene_config`; its cache is replaced by an empty folder.
    structures : Path
        Folder of the structure files.
    device : torch.device, optional
        Computes the micrograph; the CPU without it. Templates are rendered on the CPU.
    check : bool
        First compare the device's noise-free image with that of the CPU.

    Returns
    -------
    dict
        Seconds and bytes; on a GPU the micrograph's time is that of later ones in the same process.

    Raises
    ------
    CheckError
        If the images differ by more than `TOLERANCE`.
    """
    device = device or torch.device("cpu")
    on_gpu = device.type == "cuda"
    with tempfile.TemporaryDirectory() as folder, collected() as said:
        start = time.perf_counter()
        own_cache = SceneConfig(**{**vars(config), "cache": f"{folder}/cache"})
        scene = with_files(own_cache, [structures])
        microscope = SceneMicroscope(scene)
        microscope.device = device
        template = time.perf_counter() - start
        error = _error(microscope, device) if check else None
        times = []
        # The first one on a GPU also waits for kernels to be compiled and FFTs to be planned.
        for index in range(1 + WARM_ON_GPU if on_gpu else 1):
            start = time.perf_counter()
            item = microscope.take(index)  # its images are on the CPU: a GPU is done
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
        write_item(Path(folder), item, scene, dict(microscope.radii))
        writing = time.perf_counter() - start
    return {
        "error": error,  # beside the contrast; None where nothing was compared
        "template_s": template,
        "micrograph_s": median(times[1:] or times),
        "first_micrograph_s": times[0],
        "writing_s": writing,
        "cpu_s": time.process_time(),  # of the whole process, imports included
        "peak_memory_bytes": peak_memory_bytes(),
        "peak_gpu_memory_bytes": torch.cuda.max_memory_allocated(device) if on_gpu else None,
        "n_slices": item.n_slices,
        "template_voxels": [list(p.volume.shape) for p in microscope.particles.values()],
        "said": said,
    }


def _error(microscope: SceneMicroscope, device: torch.device) -> float:
    """Largest difference between the images of device and CPU, beside the contrast."""
    images = []
    for where in (torch.device("cpu"), device):
        microscope.device = where
        images.append(microscope.take(0).noise_free.double())
    error = float((images[1] - images[0]).abs().max() / images[0].std())
    if not error <= TOLERANCE:
        raise CheckError(
            f"{device} is wrong, so it is not timed: its image differs from that of the CPU by "
            f"{error:.1e} of the contrast, allowed is {TOLERANCE:.0e}"
        )
    return error


def main() -> None:
    """Print the measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="name in cases.yaml")
    parser.add_argument("count", type=int, help="copies")
    parser.add_argument("structures", type=Path, help="folder of the structure files")
    parser.add_argument("--check", action="store_true", help="first compare with the CPU")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    device = device_named(arguments.device)
    keep_freed_memory()
    torch.set_grad_enabled(False)
    case = yaml.safe_load(CASES.read_text("utf-8"))["cases"][arguments.case]
    config = scene_config(case, arguments.count)
    print(json.dumps(measure(config, arguments.structures, device, check=arguments.check)))


if __name__ == "__main__":
    main()
