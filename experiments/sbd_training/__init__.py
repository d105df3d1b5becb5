"""Training of networks for images of atoms at half an electron per pixel."""
