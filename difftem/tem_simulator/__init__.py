"""TEM-simulator 1.3: its input files, its variant of the physics, its output files."""
