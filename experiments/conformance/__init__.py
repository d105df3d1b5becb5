"""What other programs must agree with: one table of checks against independent truths."""
