"""One file a section: facts of the records turned into words and numbers of the view."""
