"""One file a check; each is found by ``autodl.profiling.checks.base.checks``."""
