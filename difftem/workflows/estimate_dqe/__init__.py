"""The detective quantum efficiency of a detector from a knife edge and flat fields."""
