"""How far a network must see to denoise atoms at half an electron per pixel."""
