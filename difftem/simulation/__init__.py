"""Scenes of many particles: from a configuration to templates, places, microscope, micrograph."""
