"""A real structure that comes with the package, for first steps and tests."""

from pathlib import Path


def example_structure() -> Path:
    """Path of horse spleen apoferritin (PDB 4V1W), a hollow shell of 24 subunits, 122 Å wide.

    Returns
    -------
    Path
        An mmCIF file, gzipped, for `difftem.io.structure.read_structure`.

    References
    ----------
    Russo & Passmore, Science 346 (2014) 1377.
    """
    return Path(__file__).with_name("4v1w.cif.gz")


def example_config() -> Path:
    """Path of the configuration with which `difftem simulate` images that structure.

    Returns
    -------
    Path
        A YAML file.
    """
    return Path(__file__).with_name("apoferritin.yaml")
