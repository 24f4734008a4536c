"""Floor 1: bytes and rows. The only SQL and the only file writes."""
