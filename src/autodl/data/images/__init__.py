"""Images as cells of a table: which folders hold them, how files are decoded into a store, what they look like."""
