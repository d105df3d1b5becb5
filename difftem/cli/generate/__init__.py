"""`difftem generate`: scenes of many particles, one micrograph after the other, resumable."""

import sys
import time
from pathlib import Path

from tqdm import tqdm

from difftem.cli.generate.config import GenerateConfig
from difftem.cli.generate.item import is_finished, write_item
from difftem.cli.parsing import parse
from difftem.cli.scene.micrograph import SceneMicroscope


def main(arguments: list[str]) -> None:
    config, options = parse("difftem generate", "x", GenerateConfig, arguments)
    output = Path(options.output)
    output.mkdir(exist_ok=True, parents=True)
    start = time.perf_counter()
    microscope = SceneMicroscope(config, options.folders, lambda t: print(t, file=sys.stderr))
    print("templates", time.perf_counter() - start)
    for i in range(config.micrographs):
        if is_finished(output, i):
            continue
        t = time.perf_counter()
        item = microscope.take(i, lambda s, n: tqdm(s, total=n, desc="slices", delay=1.0))
        print("take", time.perf_counter() - t)
        write_item(output, item, config, dict(microscope.radii))
        print("written", time.perf_counter() - t)
