"""Images of nanoparticles: exit waves, focus series, sets on disk."""
