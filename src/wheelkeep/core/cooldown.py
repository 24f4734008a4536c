"""``[cooldown]``: a file is held until it is old enough for others to have found out what is wrong with it.

Age counts from the later of the origin's upload time (PEP 700) and the moment this keep first saw the file on a page
that it already knew: so a backdated file is caught, and a first look at a project is no cold start. Where the origin
tells no time, it counts from first sight.
"""

from datetime import UTC, datetime, timedelta

from wheelkeep.core.arrival import clock
from wheelkeep.core.gates import Context, admitted, blocked
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.rules import RuleSet
from wheelkeep.core.verdict import Outcome, Verdict


class CooldownGate:
    """Holds what is younger than ``age``, but for the names excepted."""

    name = "cooldown"

    def __init__(self, age: timedelta, excepted: RuleSet, sources: frozenset[SourceName]) -> None:
        self.sources = sources
        self._age = age
        self._excepted = excepted
        self._over = admitted(self.name, "cooldown-over", f"it is older than {_words(age)}")

    def verdict(self, file: File, context: Context) -> Verdict:
        rule = self._excepted.match(file.project, file.version)
        if rule is not None:
            return admitted(self.name, "cooldown-excepted", f'excepted as "{rule.text}"')
        since = clock(file)
        if since is None:
            return blocked(
                self.name,
                "cooldown-unknown",
                "neither its origin nor this keep knows when it came",
                "its source must tell an upload time",
            )
        free = _later(since, self._age)
        if free <= context.now:
            return self._over
        return Verdict(
            gate=self.name,
            outcome=Outcome.HELD,
            code="cooldown-held",
            sentence=f"younger than {_words(self._age)}, held until {free:%Y-%m-%d %H:%M} UTC",
            remedy=f'wait until {free:%Y-%m-%d}, or ask for a waiver with gates = ["cooldown"]',
            until=free,
        )


def _later(since: datetime, age: timedelta) -> datetime:
    """Some time later; an origin may tell a time whose later has no date, and is held for ever then."""
    try:
        return since + age
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _words(age: timedelta) -> str:
    """A length of time as the policy would spell it."""
    seconds = int(age.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % length == 0 and seconds:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
