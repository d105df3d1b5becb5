"""Molecules and crystals that are made up: density, composition and symmetry of real ones."""
