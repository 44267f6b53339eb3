"""What holds where the user says nothing, for the command line and Python alike; loads nothing."""

RUNS = "autodl-runs"
"""Where runs go when no folder is named."""
BUDGET_S = 300.0
"""Seconds of a run for which neither a time nor a number of trials was asked."""
SEARCH = "auto"
"""The strategy that proposes configurations after the planned starts."""
NAS = "joint"
"""Architectures are searched together with everything else."""
PRETRAINED = "auto"
"""Networks that others have trained take part where they are installed and the time allows it."""
USUAL_FAMILIES = "default"
"""Among the names of model families: those that take part where none is named."""
