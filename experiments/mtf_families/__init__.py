"""Which family of curves can be each camera."""
