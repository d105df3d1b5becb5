"""Training of Topaz on pairs of noisy images that are ours."""
