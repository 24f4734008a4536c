"""Floor 0: the pure heart. No I/O, no async, no clock (``now`` is an argument), no logging."""
