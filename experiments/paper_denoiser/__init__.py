"""The DiffTEM paper's denoiser: what it converges to, and why."""
