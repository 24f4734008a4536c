"""Verdicts: what one gate, and then all of them, say of one file. Never without a reason."""

import re
from datetime import date, datetime
from enum import Enum

from msgspec import Struct

PUT_OFF = "-pending"
"""How the code of a verdict ends that a closer look at the file itself settles at once."""


class Outcome(Enum):
    """Held is blocked until a known moment, or until a person has looked."""

    ADMITTED = "admitted"
    HELD = "held"
    BLOCKED = "blocked"


class Verdict(Struct, frozen=True, kw_only=True):
    """What one gate says of one file."""

    gate: str
    """The table's name in ``policy.toml``."""
    outcome: Outcome
    code: str
    """A stable reason code, ``gate-what``: one entry in ``docs/reasons.md`` each."""
    sentence: str
    remedy: str = ""
    """What would change the verdict; empty for admissions."""
    until: datetime | None = None
    """The moment at which this verdict stops being true by the mere passing of time; aware, UTC."""

    @property
    def admits(self) -> bool:
        return self.outcome is Outcome.ADMITTED

    @property
    def label(self) -> str:
        """The words that clients print: ``wheelkeep: GATE: sentence``."""
        return f"wheelkeep: {self.gate}: {self.sentence}"

    @property
    def words(self) -> str:
        """The sentence as one part of an address, which pip prints: letters, digits, dots and dashes."""
        return slug(self.sentence)


class Waiver(Struct, frozen=True, kw_only=True):
    """A person's exception: it lifts the gates that it names, for a requirement, to the end of its last day (UTC)."""

    package: str
    gates: tuple[str, ...]
    reason: str
    by: str
    until: date
    given: datetime | None = None
    """When it was given as an answer to what was wanted; None: it stands in the policy's file."""

    @property
    def told(self) -> str:
        """Who lifts, why and how long, in words."""
        if self.given is None:
            return f"until {self.until} by {self.by}: {self.reason}"
        end = "" if self.until == date.max else f" until {self.until}"
        return f"approved by {self.by} on {self.given:%Y-%m-%d}{end}: {self.reason}"


class Refusal(Struct, frozen=True, kw_only=True):
    """A person's no to what was wanted. It blocks nothing by itself: it stands beside a block, in its words."""

    package: str
    reason: str
    by: str
    given: datetime

    @property
    def told(self) -> str:
        """Who refused, and why, in words."""
        return f"refused by {self.by} on {self.given:%Y-%m-%d}: {self.reason}"


class Decision(Struct, frozen=True, kw_only=True):
    """What a whole policy says of one file."""

    verdicts: tuple[Verdict, ...]
    waived: tuple[tuple[Verdict, Waiver], ...] = ()
    """Verdicts against the file that a waiver lifts, and that waiver."""
    against: Verdict | None = None
    """The first standing verdict against the file; None: it is admitted."""
    until: datetime | None = None
    """The first moment at which anything here may change by the passing of time."""

    @property
    def admitted(self) -> bool:
        return self.against is None


def slug(text: str) -> str:
    """Text as words for an address: at most 120 letters, digits, dots and underscores, joined by dashes."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text)[:120].strip("-.") or "blocked"
