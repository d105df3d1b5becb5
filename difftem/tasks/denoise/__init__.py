"""Networks that learn to take noise off."""
