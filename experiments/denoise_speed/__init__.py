"""Seconds and memory of denoising a large micrograph."""
