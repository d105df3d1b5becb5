"""Denoisers over dose and number of projections: the DiffTEM paper's figures 6 and 11."""
