"""`difftem.compare`: images or volumes against each other, and against a truth."""
