"""Experiments: one folder per table or figure that difftem publishes."""
