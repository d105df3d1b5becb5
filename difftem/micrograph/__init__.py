"""Micrographs of real cameras: read, checked, aligned, and cut where there is only background."""
