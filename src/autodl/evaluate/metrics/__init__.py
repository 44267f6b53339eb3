"""The metrics, one file a task. A file that defines a ``Metric`` adds it to the registry."""
