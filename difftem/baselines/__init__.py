"""Classical methods that take noise off: one signature, whitened exposures in, an estimate out."""
