"""What a fit minimises: likelihoods and distances, as plain functions."""
