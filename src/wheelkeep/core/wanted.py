"""What was asked for and blocked: counted in memory within bounds, and which of it still waits for an answer."""

from datetime import datetime

from msgspec import Struct

from wheelkeep.core.gates import AllowGate
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.policy import Policy
from wheelkeep.core.verdict import Verdict

MOST = 10_000
"""Different asks that are held in memory before they are written."""
MOST_EACH = 1_000
"""Of them, those of one asker."""
_LONGEST = 500


class Ask(Struct, frozen=True):
    """What is counted by itself. Where the project is empty it stands for all asks that are not told apart."""

    index: IndexName
    project: str
    version: str
    """PEP 440's normal form; empty: the name was asked for, not a version of it."""
    gate: str
    who: str
    """``token NAME``, or ``address IP``; empty: of whomsoever."""


class Tally(Struct):
    """How often, and the words of the last time."""

    count: int
    first: datetime
    last: datetime
    free: datetime | None = None
    """When the block ends by itself."""
    code: str = ""
    sentence: str = ""
    filename: str = ""
    agent: str = ""
    """The client's own name for itself, such as ``pip``."""

    def add(self, other: "Tally") -> None:
        """Puts two counts of the same ask together; the words are those of the later one."""
        count, first = self.count + other.count, min(self.first, other.first)
        if other.last >= self.last:
            self.last, self.free, self.code = other.last, other.free, other.code
            self.sentence, self.filename, self.agent = other.sentence, other.filename, other.agent
        self.count, self.first = count, first


class Counts:
    """Asks since the last writing. Clients choose the names: beyond the bounds asks are counted, not told apart."""

    def __init__(self, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._tallies: dict[Ask, Tally] = {}
        self._each: dict[tuple[IndexName, str], int] = {}

    def __bool__(self) -> bool:
        return bool(self._tallies)

    def add(self, ask: Ask, tally: Tally) -> None:
        if ask not in self._tallies:
            ask = self._within(ask)
        if not ask.project:  # many asks' words are nobody's
            tally = Tally(count=tally.count, first=tally.first, last=tally.last)
        if (known := self._tallies.get(ask)) is not None:
            known.add(tally)
            return
        self._tallies[ask] = tally
        asker = (ask.index, ask.who)
        self._each[asker] = self._each.get(asker, 0) + 1

    def _within(self, ask: Ask) -> Ask:
        if len(self._tallies) >= self._most:
            return Ask(ask.index, "", "", "", "")
        if self._each.get((ask.index, ask.who), 0) >= self._most_each:
            return Ask(ask.index, "", "", "", ask.who)
        return ask

    def take(self) -> dict[Ask, Tally]:
        """All that was counted; from now on it is counted anew."""
        taken, self._tallies, self._each = self._tallies, {}, {}
        return taken

    def give_back(self, taken: dict[Ask, Tally]) -> None:
        """What could not be written is counted on."""
        for ask, tally in taken.items():
            self.add(ask, tally)


def asked(verdict: Verdict, now: datetime, *, filename: str = "", agent: str = "") -> Tally:
    """One ask, with the verdict that blocked it."""
    return Tally(
        count=1,
        first=now,
        last=now,
        free=verdict.until,
        code=verdict.code,
        sentence=verdict.sentence[:_LONGEST],
        filename=filename,
        agent=agent,
    )


class Asker(Struct, frozen=True, kw_only=True):
    """One of those who asked, and how often."""

    kind: str
    """``token`` or ``address``; ``others`` for those who are not told apart."""
    name: str
    agent: str
    count: int
    first: datetime
    last: datetime


class Wanted(Struct, frozen=True, kw_only=True):
    """A name or a version that was asked for and blocked by one gate."""

    index: IndexName
    project: str
    version: str | None
    gate: str
    code: str
    sentence: str
    filename: str | None
    count: int
    askers: int
    first: datetime
    last: datetime
    free: datetime | None = None
    """When the block ends by itself."""
    who: tuple[Asker, ...] = ()
    """Those who asked most."""


def asker(who: str, tally: Tally) -> Asker:
    """One of those who asked, as ``Ask.who`` names them."""
    kind, _, name = who.partition(" ")
    return Asker(
        kind=kind or "others",
        name=name,
        agent=tally.agent,
        count=tally.count,
        first=tally.first,
        last=tally.last,
    )


def is_open(policy: Policy, one: Wanted, now: datetime) -> bool:
    """Whether an answer is still missing: nobody gave one, the block has not ended by itself, and the policy's file has
    not come to allow it."""
    project, version = ProjectName(one.project), one.version or ""
    if policy.refusal(project, version) is not None or (one.free is not None and one.free <= now):
        return False
    if policy.waiver(project, version, one.gate, now) is not None:
        return False
    blocking = next((each for each in policy.gates if each.name == one.gate), None)
    if isinstance(blocking, AllowGate):
        return not blocking.names(project, version)
    return blocking is not None
