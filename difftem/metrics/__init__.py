"""How far from the truth: metrics that accumulate over fits and images."""
