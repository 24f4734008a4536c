"""Floor 3: the use cases. The only writer of the ledger."""
