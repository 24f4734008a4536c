"""What the keepers of a policy expect of it, one line each, and whether it is so.

expect "django==5.2" admitted            # at least one file of what the requirement means
expect "ctx" blocked by deny             # no file at all, and this gate is against each
expect "demo-1.0.tar.gz" held            # blocked now, and free by itself later
"""

import re
from collections.abc import Sequence
from typing import Literal, get_args

from msgspec import Struct

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.model import File
from wheelkeep.core.names import SDIST_SUFFIXES, ProjectName, owner_of
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.policy_file import GATES
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.verdict import Decision, Outcome, Verdict

Expected = Literal["admitted", "blocked", "held"]
_EXPECTED: tuple[Expected, ...] = get_args(Expected)
_LINE = re.compile(r'expect[ \t]+"([^"]+)"[ \t]+([a-z]+)(?:[ \t]+by[ \t]+([a-z]+))?[ \t]*(?:#.*)?')
_LONGEST = 1_000_000


class Expectation(Struct, frozen=True, kw_only=True):
    """One line."""

    line: int
    text: str
    """As written, without the comment."""
    project: ProjectName
    rule: Rule | None
    """What is meant; None: the one file called ``filename``."""
    filename: str = ""
    outcome: Expected
    gate: str | None = None

    def means(self, file: File) -> bool:
        """Whether the line speaks of a file of its project."""
        return self.rule.allows(file.version) if self.rule is not None else file.filename == self.filename


def read_expectations(text: str, *, file: str) -> tuple[Expectation, ...]:
    """Reads the lines; ``file`` is their name in mistakes. Raises ConfigError with every mistake."""
    read: list[Expectation] = []
    mistakes: list[Mistake] = []
    if len(text) > _LONGEST:
        raise ConfigError([Mistake(file, None, "", f"is longer than {_LONGEST} characters")])
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        plain = line.strip()
        if not plain or plain.startswith("#"):
            continue
        try:
            read.append(_expectation(number, plain))
        except ValueError as error:
            mistakes.append(Mistake(file, number, "", str(error)))
    if mistakes:
        raise ConfigError(mistakes)
    return tuple(read)


def _expectation(number: int, line: str) -> Expectation:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError('is not an expectation: write one such as expect "django==5.2" admitted')
    what, word, gate = found.groups()
    outcome = next((known for known in _EXPECTED if known == word), None)
    if outcome is None:
        raise ValueError(f'"{word}" is not a word it knows: {suggestion(word, _EXPECTED)}')
    if gate is not None and outcome == "admitted":
        raise ValueError("all gates together admit: leave out the gate")
    if gate is not None and gate not in GATES:
        raise ValueError(f'"{gate}" is not a gate: {suggestion(gate, GATES)}')
    text = f'expect "{what}" {word}' + (f" by {gate}" if gate else "")
    if what.endswith((".whl", *SDIST_SUFFIXES)):
        if (owner := owner_of(what)) is None:
            raise ValueError(f'"{what[:80]}" is not the name of a wheel or sdist')
        return Expectation(
            line=number, text=text, project=owner, rule=None, filename=what, outcome=outcome, gate=gate
        )
    rule = read_rule(what)
    return Expectation(
        line=number, text=text, project=ProjectName(rule.name), rule=rule, outcome=outcome, gate=gate
    )


def standing(decision: Decision) -> tuple[Verdict, ...]:
    """The verdicts against a file that no waiver lifts."""
    waived = {verdict.gate for verdict, _ in decision.waived}
    return tuple(each for each in decision.verdicts if not each.admits and each.gate not in waived)


def fails(expectation: Expectation, judged: Sequence[tuple[File, Decision]]) -> str:
    """Why an expectation does not hold of the files that it means, in a sentence; empty where it holds."""
    if not judged:
        return "there is no such file"
    admitted = [file.filename for file, decision in judged if decision.admitted]
    if expectation.outcome == "admitted":
        return "" if admitted else _against(judged)
    if admitted:
        return f"{len(admitted)} of {len(judged)} files are admitted, such as {admitted[0]}"
    held = [(file, standing(decision)) for file, decision in judged]
    if expectation.outcome == "held" and not any(map(_only_held, (against for _, against in held))):
        return _against(judged)
    return _all_by(expectation.gate, held) if expectation.gate is not None else ""


def _only_held(against: Sequence[Verdict]) -> bool:
    return all(verdict.outcome is Outcome.HELD for verdict in against)


def _all_by(gate: str, held: Sequence[tuple[File, Sequence[Verdict]]]) -> str:
    for file, against in held:
        if gate not in {verdict.gate for verdict in against}:
            return f"{file.filename} is blocked by {against[0].gate}: {against[0].sentence}"
    return ""


def _against(judged: Sequence[tuple[File, Decision]]) -> str:
    file, decision = judged[-1]
    assert decision.against is not None
    verdict = decision.against
    return f"{file.filename} is {verdict.outcome.value} by {verdict.gate}: {verdict.sentence}"


def fails_unlisted(expectation: Expectation, verdict: Verdict) -> str:
    """The same of a name that no source is asked for."""
    if expectation.outcome == "blocked" and expectation.gate in (None, verdict.gate):
        return ""
    return f"it is blocked by {verdict.gate}: {verdict.sentence}"
