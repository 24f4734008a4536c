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
from wheelkeep.core.past import appeared
from wheelkeep.core.rules import RuleSet
from wheelkeep.core.verdict import Outcome, Verdict


class CooldownGate:
    """Holds what is younger than ``age``, but for the names excepted and, with ``fixes``, for what mends."""

    name = "cooldown"

    def __init__(
        self, age: timedelta, excepted: RuleSet, sources: frozenset[SourceName], *, fixes: bool = False
    ) -> None:
        self.sources = sources
        self.fixes = fixes
        self._age = age
        self._excepted = excepted
        self._over = admitted(self.name, "cooldown-over", f"it is older than {_words(age)}")

    def verdict(self, file: File, context: Context) -> Verdict:
        rule = self._excepted.match(file.project, file.version)
        if rule is not None:
            return admitted(self.name, "cooldown-excepted", f'excepted as "{rule.text}"')
        since = clock(file)
        free = _later(since, self._age) if since is not None else None
        if context.as_of is not None and self._too_young(file, context.as_of):
            return self._mends(file, context) or blocked(
                self.name,
                "cooldown-then",
                f"it was younger than {_words(self._age)} at {context.as_of:%Y-%m-%d %H:%M} UTC",
                "ask for a later moment",
            )
        if free is not None and free <= context.now:
            return self._over
        if (mended := self._mends(file, context)) is not None:
            return mended
        if free is None:
            return blocked(
                self.name,
                "cooldown-unknown",
                "neither its origin nor this keep knows when it came",
                "its source must tell an upload time",
            )
        return Verdict(
            gate=self.name,
            outcome=Outcome.HELD,
            code="cooldown-held",
            sentence=f"younger than {_words(self._age)}, held until {free:%Y-%m-%d %H:%M} UTC",
            remedy=f'wait until {free:%Y-%m-%d}, or ask for a waiver with gates = ["cooldown"]',
            until=free,
        )

    def _too_young(self, file: File, as_of: datetime) -> bool:
        """Whether it was held at a moment in the past, so that a view of the past is the same whenever it is looked at.

        What this keep did not know yet counts from when it came to its origin.
        """
        known = file.first_seen is None or file.first_seen <= as_of
        came = clock(file) if known else appeared(file)
        return came is not None and _later(came, self._age) > as_of

    def _mends(self, file: File, context: Context) -> Verdict | None:
        """The passage of a release that cures a known advisory, and has none against itself."""
        known = context.advisories.get(file.source) if self.fixes and context.advisories else None
        mended = known.mends(file.version) if known is not None else []
        if not mended:
            return None
        return admitted(self.name, "cooldown-fixes", f"it mends {mended[0].label}, so it is not held")


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
