"""What is done with models and data: LightningModules; what they work with is injected."""
