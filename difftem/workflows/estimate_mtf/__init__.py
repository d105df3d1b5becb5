"""The MTF of a detector from noise or from a knife edge."""
