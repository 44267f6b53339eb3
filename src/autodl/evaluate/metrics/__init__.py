"""The metrics, one file a task."""
