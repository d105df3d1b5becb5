"""SIRT of the ASTRA toolbox (GPL), in its own process: ``PYTHON astra_sirt.py IN.npz OUT.npz``.

Imports nothing of difftem. The planes across the tilt axis are two-dimensional problems.
"""

import sys
import time

import astra
import numpy as np


def main(source: str, target: str) -> None:
    """Reconstruct each plane with each projector, densities kept positive."""
    given = np.load(source)
    images, tilts, n_iterations = given["images"], given["tilts"], int(given["iterations"])
    _, side, width = images.shape
    if width % 2 == 0:
        raise ValueError("an odd side: the middle is then that of a pixel in both programs")
    room = astra.create_vol_geom(width, width)
    rays = astra.create_proj_geom("parallel", 1.0, width, tilts)
    results = {"version": np.array(astra.__version__)}
    for kind in ("strip", "linear"):
        projector = astra.create_projector(kind, rays, room)
        seen = astra.data2d.create("-sino", rays)
        found = astra.data2d.create("-vol", room)
        settings = astra.astra_dict("SIRT")
        settings |= {"ProjectorId": projector, "ProjectionDataId": seen}
        settings |= {"ReconstructionDataId": found, "option": {"MinConstraint": 0.0}}
        volume = np.zeros((width, side, width), np.float32)
        started = time.process_time()
        for row in range(side):
            astra.data2d.store(seen, images[:, row])
            astra.data2d.store(found, 0.0)
            algorithm = astra.algorithm.create(settings)
            astra.algorithm.run(algorithm, n_iterations)
            volume[:, row] = astra.data2d.get(found)[::-1]  # its rows run down
            astra.algorithm.delete(algorithm)
        results[f"{kind}_seconds"] = np.array(time.process_time() - started)
        results[kind] = volume
    np.savez(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
