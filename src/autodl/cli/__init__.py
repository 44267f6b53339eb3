"""The command line: parse, call the pipeline, show. One file a command."""
