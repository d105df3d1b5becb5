"""LightningDataModules: flat fields, knife edges, crops of real micrographs."""
