"""The noise of cameras from their micrographs."""
