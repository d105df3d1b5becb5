"""The study of the DiffTEM paper: MTFs recovered from backgrounds."""
