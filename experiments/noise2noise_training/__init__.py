"""Training of Noise2Noise's network on pairs of noisy images."""
