"""The adapter for NNI 3.0, which is no longer maintained: nothing outside this package may import it."""
