"""Floor 4b: the command line. Never imports web."""
