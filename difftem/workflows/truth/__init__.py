"""Files of truth beside the images of `simulate` and `generate`."""
