"""How bad an advisory is: CVSS vectors and words, made one of five steps. Not told is a sixth thing, and never low."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from wheelkeep.core.policy_file import Severity

RANKS: dict[str, int] = {"none": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
"""The steps of CVSS 3.1 and 4.0 in order."""
_WORDS = {**{word: word for word in RANKS}, "moderate": "medium", "important": "high"}
_LONGEST_VECTOR = 400


def rank_of(severity: str | None) -> int:
    """The step's number; one that is not told counts as critical."""
    return RANKS["critical"] if severity is None else RANKS[severity]


def least(severity: Severity) -> int:
    """The number from which a policy's word blocks."""
    return 0 if severity == "any" else RANKS[severity]


def of_score(score: float) -> str:
    """The step of a score from 0 to 10 (CVSS 3.1, table 14; 4.0 has the same)."""
    if score <= 0:
        return "none"
    if score < 4:
        return "low"
    if score < 7:
        return "medium"
    return "high" if score < 9 else "critical"


def worst(told: Iterable[str | None]) -> str | None:
    """The worst of the steps that are told; None where none is."""
    return max((step for step in told if step is not None), key=rank_of, default=None)


def read_severity(*values: Any) -> str | None:
    """The worst step that any of the values tells: OSV's list of ``{type, score}``, a vector, or a word.

    None where nothing that can be understood is told.
    """
    return worst(_read(value) for value in values)


def _read(value: Any) -> str | None:
    if isinstance(value, list):
        entries = (entry.get("score") if isinstance(entry, dict) else entry for entry in value[:20])
        return worst(_read(entry) for entry in entries if isinstance(entry, str))
    if not isinstance(value, str) or len(value) > _LONGEST_VECTOR:
        return None
    if (word := _WORDS.get(value.strip().lower())) is not None:
        return word
    score = _score(value.strip())
    return of_score(score) if score is not None else None


@lru_cache(maxsize=8192)  # some hundred vectors are those of nearly all records
def _score(vector: str) -> float | None:
    """The base score of a vector of CVSS 2, 3.0, 3.1 or 4.0."""
    if "/" not in vector:
        return None
    from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # noqa: PLC0415 - only where advisories are read

    kind = CVSS4 if vector.startswith("CVSS:4") else CVSS3 if vector.startswith("CVSS:3") else CVSS2
    try:
        return float(kind(vector).base_score)
    except (CVSSError, ArithmeticError, LookupError, ValueError):
        return None
