"""Metal nanoparticles on an oxide, seen in profile: seeded models for training and for tests."""
