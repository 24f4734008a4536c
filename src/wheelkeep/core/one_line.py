"""A line of text that people write and others are shown: a reason, a name. Nothing in it moves a cursor or ends it."""

LONGEST_REASON = 500


def read_line(text: str, *, what: str, most: int) -> str:
    """The line without spaces at its ends; raises ValueError where it is empty, too long or cannot be printed."""
    if not text.strip() or not text.isprintable() or len(text) > most:
        raise ValueError(f"{what} is one line of at most {most} letters")
    return text.strip()


def read_reason(text: str) -> str:
    """Why something was done, for pages and the ledger; raises ValueError."""
    return read_line(text, what="a reason", most=LONGEST_REASON)
