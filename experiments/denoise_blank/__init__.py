"""What the denoiser makes of images that show nothing."""
