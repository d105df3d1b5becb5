"""How often the 95 % bands of MTF and NTF hold the truth."""
