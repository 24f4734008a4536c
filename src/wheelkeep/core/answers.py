"""What people said to what was wanted: approvals and refusals as they are kept, and as a policy takes them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from msgspec import Struct
from packaging.specifiers import SpecifierSet

from wheelkeep.core.names import IndexName
from wheelkeep.core.policy_file import GATES
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.verdict import Refusal, Waiver

REFUSED = ""
"""In the place of a gate: the answer was no."""


class Answer(Struct, frozen=True, kw_only=True):
    """One answer for one index: a gate lifted for a requirement, or a refusal."""

    index: IndexName
    requirement: str
    """In normal form (``meaning``)."""
    gate: str
    """REFUSED, or the gate that is lifted."""
    reason: str
    by: str
    given: datetime
    """Aware, UTC."""
    until: str | None = None
    """Its last day in UTC, as YYYY-MM-DD; None: for ever."""


class AnswerSaid(Struct, frozen=True, kw_only=True):
    """An answer as commands and the API show it."""

    index: str
    requirement: str
    answer: Literal["approved", "refused"]
    gate: str | None
    """The gate that is lifted."""
    reason: str
    by: str
    given: datetime
    until: str | None
    """The last day in UTC; null: for ever."""


def said(answer: Answer) -> AnswerSaid:
    """The answer in the form in which it is shown."""
    return AnswerSaid(
        index=answer.index,
        requirement=answer.requirement,
        answer="refused" if answer.gate == REFUSED else "approved",
        gate=answer.gate or None,
        reason=answer.reason,
        by=answer.by,
        given=answer.given,
        until=answer.until,
    )


class Answers(Struct, frozen=True):
    """All answers of one index, as its policy takes them."""

    approvals: tuple[Waiver, ...] = ()
    refusals: tuple[Refusal, ...] = ()


NO_ANSWERS = Answers()


def meaning(rule: Rule) -> str:
    """A requirement in the one spelling that it shares with all that mean the same."""
    return f"{rule.name}{SpecifierSet(rule.specifier)}"


def in_force(answers: Iterable[Answer]) -> Answers:
    """The answers of one index for its policy. Raises ValueError for one that cannot be read: then none lifts anything,
    as the one that is lost may be the refusal that takes another back."""
    approvals: list[Waiver] = []
    refusals: list[Refusal] = []
    for answer in answers:
        read_rule(answer.requirement)
        package, reason, by, given = answer.requirement, answer.reason, answer.by, answer.given
        if answer.gate == REFUSED:
            refusals.append(Refusal(package=package, reason=reason, by=by, given=given))
        elif answer.gate in GATES:
            until = date.fromisoformat(answer.until) if answer.until is not None else date.max
            approvals.append(
                Waiver(package=package, gates=(answer.gate,), reason=reason, by=by, until=until, given=given)
            )
        else:
            raise ValueError(f'"{answer.gate}" is not a gate')
    return Answers(tuple(approvals), tuple(refusals))
