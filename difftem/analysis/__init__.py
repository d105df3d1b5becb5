"""What images say about a detector: noise spectra, edge spread, DQE, information."""
