"""Sets of images of Pt on CeO2."""
