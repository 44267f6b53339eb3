"""Who asks for trials, as ``TrialSpec.origin`` says; every other origin is the key of a strategy."""

from __future__ import annotations

LISTED = ("baseline", "default", "portfolio")
"""Trials that were on a list."""
SUPERNET = "supernet"
"""A training of shared weights, which proposes networks and is none itself."""
INHERITED = "inherited"
"""A network that it has proposed."""
