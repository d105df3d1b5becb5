"""Scenes as data: what is where, from which file or by which packing, and its ground truth."""
