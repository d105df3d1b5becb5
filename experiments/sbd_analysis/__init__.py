"""Whether atoms are real, and which counts a denoised pixel is made of."""
