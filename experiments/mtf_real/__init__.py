"""MTFs from the noise of real micrographs, beside published curves."""
