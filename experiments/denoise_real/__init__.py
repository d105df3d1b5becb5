"""Denoisers on real micrographs, scored by electrons that they have not seen."""
