"""What a configuration means: keys, limits, sampling, advice, memory, microscope, scenes."""
