"""Denoisers on simulated micrographs of particles that no network was trained on."""
