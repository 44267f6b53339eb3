"""Models of a loss over a search space."""
