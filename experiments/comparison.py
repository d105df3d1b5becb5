"""Make every table and curve of the comparison again: ``python -m experiments.comparison``.

Reads what the runs left in ``experiments/*/results/*.csv``, computes no score, and writes the
tables and curves of their READMEs and of docs/comparison/denoisers.md.
"""

import argparse
from importlib import import_module
from pathlib import Path

from experiments._base.results import write_marked

# Each has `SCORES`, a CSV file, `publish`, which writes its README from it, and `summary`.
EXPERIMENTS = ("denoise_dose", "denoise_generalise", "denoise_real", "false_positives")
DOCS = Path(__file__).parents[1] / "docs" / "comparison" / "denoisers.md"


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS)
    for name in parser.parse_args().only:
        module = import_module(f"experiments.{name}.run")
        if not module.SCORES.is_file():
            print(f"{name}: no {module.SCORES}; python -m experiments.{name}.run makes it")
            continue
        config = module.read_config()
        module.publish(config)
        write_marked(DOCS, name, module.summary(config))
        print(f"{name}: written from {module.SCORES}")


if __name__ == "__main__":
    main()
