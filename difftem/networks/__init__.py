"""Networks that take noise off: plain modules on whitened images."""
