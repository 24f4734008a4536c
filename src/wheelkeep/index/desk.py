"""The desk at which people answer what was asked for and blocked; and how the answers reach the policies in force."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.answers import NO_ANSWERS, REFUSED, Answer, Answers, in_force, meaning
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import IndexName
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.one_line import read_line, read_reason
from wheelkeep.core.policy_file import GATES
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.wanted import Wanted, is_open
from wheelkeep.index.index import Index
from wheelkeep.logs import get_logger
from wheelkeep.store.answers import AnswerBook
from wheelkeep.store.ledger import Entry
from wheelkeep.store.wanted import WantedList

log = get_logger(__name__)
_ASKERS = 20
_LONGEST_BY = 100


class Waiting(Struct, frozen=True, kw_only=True):
    """What waits for an answer, as ``--json`` prints it."""

    index: str
    wanted: tuple[Wanted, ...]
    """The most often asked for first."""
    more: int
    """How many more there are."""
    beyond: int
    """Asks that are only counted, as there were too many different ones."""


class Unfit(WheelkeepError):
    """An answer that cannot be taken; its text says what to say instead."""


class Desk:
    """Answers are read strictly: what is not one raises Unfit, and nothing of it is kept."""

    def __init__(self, wanted: WantedList, book: AnswerBook, indexes: Mapping[IndexName, Index]) -> None:
        self._wanted = wanted
        self._book = book
        self._indexes = indexes

    async def hear(self) -> None:
        """Puts the answers that are kept in force; an index whose policy is another one then forgets its pages."""
        kept: dict[IndexName, list[Answer]] = {}
        for answer in await self._book.all():
            kept.setdefault(answer.index, []).append(answer)
        for name, index in self._indexes.items():
            if index.policy.answer(_readable(name, kept.get(name, []))):
                index.forget(None)

    async def open(self, index: IndexName, *, gate: str | None = None, limit: int = 100) -> Waiting:
        """What was asked for, is blocked and has no answer yet."""
        await self.hear()
        policy, now = self._indexes[index].policy.current, datetime.now(UTC)
        found = [one for one in await self._wanted.most_asked(index, gate=gate) if is_open(policy, one, now)]
        shown = found[:limit]
        who = await self._wanted.askers(index, sorted({one.project for one in shown}), most=_ASKERS)
        told: list[Wanted] = []
        for one in shown:
            pairs = who.get((one.project, one.version or "", one.gate), [])
            if pairs:
                last = max((tally for _, tally in pairs), key=lambda tally: tally.last)
                one = replace(  # noqa: PLW2901 - the same, completed
                    one,
                    code=last.code,
                    sentence=last.sentence,
                    filename=last.filename or None,
                    who=tuple(asker for asker, _ in pairs),
                )
            told.append(one)
        return Waiting(
            index=index,
            wanted=tuple(told),
            more=len(found) - len(shown),
            beyond=await self._wanted.beyond(index),
        )

    async def answers(self, index: IndexName) -> list[Answer]:
        """The answers given for an index and not taken back, the oldest first."""
        return [answer for answer in await self._book.all() if answer.index == index]

    async def approve(
        self,
        index: IndexName,
        requirements: Sequence[str],
        *,
        reason: str,
        by: str,
        gates: Sequence[str] = (),
        until: date | None = None,
    ) -> list[Answer]:
        """Lifts gates for requirements: those that are named, else the one of the list, or those that blocked it.

        ``until``: the last day; an approval of ``allow`` may do without.
        """
        await self.hear()
        rules, why, who = _read(requirements, reason, by)
        now = datetime.now(UTC)
        if until is not None and until < now.date():
            raise Unfit(f"the last day, {until}, is over: write a day to come")
        for gate in gates:
            self._check_gate(index, gate)
        asked = [] if gates else await self._wanted.most_asked(index)
        new: list[Answer] = []
        for rule in rules:
            for gate in dict.fromkeys(gates) or self._blocking(index, rule, asked, now):
                if until is None and gate != "allow":
                    raise Unfit(
                        f"{rule.text}: an approval that lifts the gate {gate} needs its last day: say until when"
                    )
                new.append(_answer(index, rule, gate, why, who, now, until))
        await self._book.put(new, _entries("approved", new))
        return new

    async def refuse(
        self, index: IndexName, requirements: Sequence[str], *, reason: str, by: str
    ) -> list[Answer]:
        """Says no: it leaves the list of what is wanted, and whoever asks again is told why."""
        rules, why, who = _read(requirements, reason, by)
        now = datetime.now(UTC)
        new = [_answer(index, rule, REFUSED, why, who, now, None) for rule in rules]
        await self._book.put(new, _entries("refused", new))
        return new

    async def withdraw(
        self, index: IndexName, requirements: Sequence[str], *, reason: str, by: str
    ) -> list[Answer]:
        """Takes answers back, whichever they were; gives them, and nothing where there was none."""
        rules, why, who = _read(requirements, reason, by)
        said = {"reason": why, "by": who}
        return await self._book.take_back(
            index, [meaning(rule) for rule in rules], lambda gone: _entries("withdrawn", gone, said)
        )

    def _check_gate(self, index: IndexName, gate: str) -> None:
        if gate not in GATES:
            raise Unfit(f'"{gate[:80]}" is not a gate: {suggestion(gate[:80], GATES)}')
        if gate not in self._gates(index):
            raise Unfit(f"the policy of the index {index} has no gate {gate}, so nothing is there to lift")

    def _gates(self, index: IndexName) -> list[str]:
        return [gate.name for gate in self._indexes[index].policy.current.gates]

    def _blocking(self, index: IndexName, rule: Rule, asked: Sequence[Wanted], now: datetime) -> list[str]:
        """The gates that are meant where none is named: ``allow`` before all others, and never ``deny``."""
        policy = self._indexes[index].policy.current
        waiting = {
            one.gate
            for one in asked
            if one.project == rule.name
            and (one.version is None or rule.allows(one.version))
            and is_open(policy, one, now)
        }
        there = self._gates(index)
        if "allow" in waiting or ("allow" in there and not waiting):
            return ["allow"]
        found = [gate for gate in there if gate in waiting and gate != "deny"]
        if not found:
            raise Unfit(f"{rule.text}: it is not known which gate is meant: name it")
        return found


def _readable(index: IndexName, answers: Sequence[Answer]) -> Answers:
    try:
        return in_force(answers)
    except ValueError as error:
        log.error("answers_broken", index=index, keeping="the policy's file alone", why=str(error))
        return NO_ANSWERS


def _read(requirements: Sequence[str], reason: str, by: str) -> tuple[list[Rule], str, str]:
    try:
        rules = {meaning(rule): rule for rule in (read_rule(text) for text in requirements)}
        why, who = read_reason(reason), read_line(by, what="who answers", most=_LONGEST_BY)
    except ValueError as error:
        raise Unfit(str(error)) from None
    if not rules:
        raise Unfit("no requirement is named")
    return list(rules.values()), why, who


def _answer(
    index: IndexName, rule: Rule, gate: str, reason: str, by: str, given: datetime, until: date | None
) -> Answer:
    return Answer(
        index=index,
        requirement=meaning(rule),
        gate=gate,
        reason=reason,
        by=by,
        given=given,
        until=until.isoformat() if until is not None else None,
    )


def _entries(kind: str, answers: Sequence[Answer], said: Mapping[str, str] | None = None) -> list[Entry]:
    """A line for each answer; ``said``: who took it back, and why."""
    now = datetime.now(UTC)
    return [
        Entry(
            kind=kind,
            at=now,
            project=read_rule(answer.requirement).name,
            detail={
                "index": answer.index,
                "requirement": answer.requirement,
                "gate": answer.gate,
                "until": answer.until,
                "reason": answer.reason,
                "by": answer.by,
                **(said or {}),
            },
        )
        for answer in answers
    ]
