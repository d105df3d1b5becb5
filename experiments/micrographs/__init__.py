"""Configurations of the README's pictures."""
