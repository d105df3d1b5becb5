"""Ice of molecules beside that of real micrographs."""
