"""Measure one case in this process: ``python -m experiments.table1_scale.measure --help``."""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import yaml

from difftem.cli.generate.item import write_item
from difftem.cli.preload import preload
from difftem.cli.process import keep_freed_memory
from difftem.cli.scene.config import (
    IceConfig,
    ParticleConfig,
    SceneConfig,
    SceneSamplingConfig,
)
from difftem.cli.scene.micrograph import SceneMicroscope
from difftem.cli.simulate.config import MicroscopeConfig

CASES = Path(__file__).with_name("cases.yaml")
KILOBYTE = 1024 if sys.platform != "darwin" else 1


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


def measure(config: SceneConfig, structures: Path) -> dict[str, Any]:
    """Time template and micrograph, from files to files.

    Parameters
    ----------
    config : SceneConfig
        From `scene_config`; its cache is replaced by an empty folder.
    structures : Path
        Folder of the structure files.

    Returns
    -------
    dict
        Seconds and bytes.
    """
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        scene = SceneConfig(**{**vars(config), "cache": f"{folder}/cache"})
        microscope = SceneMicroscope(scene, [structures], said.append)
        template = time.perf_counter() - start
        start = time.perf_counter()
        item = microscope.take(0)
        micrograph = time.perf_counter() - start
        start = time.perf_counter()
        write_item(Path(folder), item, scene, dict(microscope.radii))
        writing = time.perf_counter() - start
    return {
        "template_s": template,
        "micrograph_s": micrograph,
        "writing_s": writing,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE,
        "n_slices": item.n_slices,
        "template_voxels": [list(p.volume.shape) for p in microscope.particles.values()],
        "said": said,
    }


def main() -> None:
    """Print the measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="name in cases.yaml")
    parser.add_argument("count", type=int, help="copies")
    parser.add_argument("structures", type=Path, help="folder of the structure files")
    arguments = parser.parse_args()
    keep_freed_memory()
    preload()
    torch.set_grad_enabled(False)
    case = yaml.safe_load(CASES.read_text("utf-8"))["cases"][arguments.case]
    config = scene_config(case, arguments.count)
    print(json.dumps(measure(config, arguments.structures)))


if __name__ == "__main__":
    main()
