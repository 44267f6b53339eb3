"""What can be wrong with model files."""

from __future__ import annotations

from autodl.errors import RunError


class UnsupportedValueError(Exception):
    """A model holds something that the safe form cannot express."""


class RefusedTypeError(RunError):
    """A file names a type that no model of autodl is made of."""
