"""What people approved, written into the text of a policy, and told as a patch (unified diff, as patch(1) reads it)."""

from collections.abc import Iterable
from datetime import date
from difflib import unified_diff

from msgspec import Struct

from wheelkeep.core.answers import REFUSED, Answer
from wheelkeep.core.edit_policy import allowing, waiving
from wheelkeep.core.policy_file import PolicyFile
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.verdict import Waiver


class Written(Struct, frozen=True):
    """The text with what was added, and sentences about what could not be."""

    text: str
    left_out: tuple[str, ...]


def write_approvals(text: str, file: PolicyFile, answers: Iterable[Answer], *, today: date) -> Written:
    """Approvals as requirements of ``[allow]`` where they are for ever, else as waivers; those that are over are not
    written. ``file``: what the text says. Raises ValueError for a text to which nothing can be added."""
    answers = tuple(answers)
    listed: dict[str, str] = {}
    waived: dict[tuple[str, str, str, date], list[str]] = {}
    left_out: list[str] = []
    for answer in answers:
        last = date.fromisoformat(answer.until) if answer.until is not None else None
        if answer.gate == REFUSED or (last is not None and last < today):
            continue
        if any(_takes_back(other, answer) for other in answers):
            left_out.append(f"{answer.requirement}: some or all of it was refused later")
        elif last is not None:
            waived.setdefault((answer.requirement, answer.reason, answer.by, last), []).append(answer.gate)
        elif file.allow is None:
            left_out.append(f"{answer.requirement}: the policy has no [allow] to which it could be added")
        else:
            day = answer.given.date().isoformat()
            listed[answer.requirement] = f"approved by {answer.by} on {day}: {answer.reason}"
    waivers = [
        Waiver(package=package, gates=tuple(gates), reason=reason, by=by, until=until)
        for (package, reason, by, until), gates in waived.items()
    ]
    return Written(waiving(allowing(text, listed, listed), waivers), tuple(left_out))


def _takes_back(refusal: Answer, approval: Answer) -> bool:
    of: list[Rule] = [read_rule(each.requirement) for each in (refusal, approval)]
    return refusal.gate == REFUSED and of[0].name == of[1].name and refusal.given >= approval.given


def patch(before: str, after: str, *, name: str) -> str:
    """A unified diff of one file; empty where nothing differs."""
    lines = unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    # Not ``splitlines``: to a patch only a line feed ends a line.
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
