"""How far the gradient estimators of Poisson counts are from the truth."""
