"""Files in and out, and datasets made of them."""
