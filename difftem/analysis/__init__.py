"""What images say: of a detector (noise spectra, edge spread, DQE), and of atoms and denoisers."""
