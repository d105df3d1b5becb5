"""Make every table and curve of the comparison again: ``python -m experiments.comparison``.

Reads what the runs left in ``experiments/*/results/*.csv``, computes no score, and writes the
tables and curves of their READMEs and of docs/comparison.md.
"""

import argparse
from importlib import import_module

# Each has `publish(config)`, which reads its CSV file and writes its README, and `read_config()`.
EXPERIMENTS = ("denoise_dose", "denoise_generalise", "denoise_real", "false_positives")


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS)
    for name in parser.parse_args().only:
        module = import_module(f"experiments.{name}.run")
        if not module.SCORES.is_file():
            print(f"{name}: no {module.SCORES}; python -m experiments.{name}.run makes it")
            continue
        module.publish(module.read_config())
        print(f"{name}: written from {module.SCORES}")


if __name__ == "__main__":
    main()
