"""Many particles in one micrograph: time, memory and how they grow."""
