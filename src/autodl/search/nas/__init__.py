"""Architecture search beyond sampling: shared weights, and what its rankings are worth. Imports no torch."""
