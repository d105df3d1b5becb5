"""Training of the denoising networks that come with the package."""
