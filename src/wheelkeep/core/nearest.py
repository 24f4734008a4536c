"""The nearest known word: what a person most likely meant. Whether a word is known is asked elsewhere."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_LISTED = 12


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like ``word``, letter case aside, or None where none is near."""
    by_lower = {each.lower(): each for each in known}
    if found := get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6):
        return by_lower[found[0]]
    # Letters in another order are a slip of the fingers that difflib thinks little of ("pipy" for "pypi").
    letters = sorted(word.lower())
    return next((known for lower, known in by_lower.items() if sorted(lower) == letters), None)


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, else the known ones in order."""
    words = list(known)
    if (near := nearest(word, words)) is not None:
        return f'did you mean "{near}"?'
    if not words:
        return "none is known here"
    more = f" and {len(words) - _MOST_LISTED} more" if len(words) > _MOST_LISTED else ""
    return f"known here: {', '.join(words[:_MOST_LISTED])}{more}"
