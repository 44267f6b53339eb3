"""What drives the predictions."""

from autodl.explain.explain import explain

__all__ = ["explain"]
