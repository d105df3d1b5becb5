"""What every denoiser draws where there is nothing."""
