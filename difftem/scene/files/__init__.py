"""Scenes in files: RELION STAR, CSV, text matrices, label images, and other programs' angles."""
