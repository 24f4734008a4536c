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


def plain(text: str, *, lines: bool = False) -> str:
    r"""The text with all that cannot be printed as its escape (``\x1b``): it moves no cursor and hides nothing.

    ``lines``: line ends and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or (lines and letter in "\n\t")
        else letter.encode("unicode_escape").decode()
        for letter in text
    )
