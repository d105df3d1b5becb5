"""The tiny structure, its scenes and its command."""

from tests.cli.conftest import blob, microscope, pdb, simulate, template_cache

__all__ = ["blob", "microscope", "pdb", "simulate", "template_cache"]
