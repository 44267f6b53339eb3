"""Who asks for trials, as ``TrialSpec.origin`` says; every other origin is the key of a strategy."""

from __future__ import annotations

LISTED = ("baseline", "default", "portfolio")
"""Trials that were on a list."""
SUPERNET = "supernet"
"""A training of shared weights, which proposes networks and is none itself."""
INHERITED = "inherited"
"""A network that it has proposed."""
REPEAT = "repeat"
"""A known configuration tried again on a further split of the rows into folds."""
PROMOTED = "promotion"
"""A configuration that led on a part of the rows, tried on all of them or on more."""
