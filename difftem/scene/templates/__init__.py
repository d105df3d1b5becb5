"""Particle templates: rendered from atoms, read from maps, built from parts, kept on disk."""
