"""Floor 2: the outside world. The only outbound HTTP."""
