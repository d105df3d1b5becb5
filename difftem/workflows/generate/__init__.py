"""Sets of micrographs of scenes, made by any number of processes, resumable."""
