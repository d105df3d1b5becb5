"""Denoised tilt series: are their reconstructions better, and is what is in them still right?"""
