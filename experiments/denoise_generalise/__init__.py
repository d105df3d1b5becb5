"""Denoisers on what training never saw, one thing at a time."""
