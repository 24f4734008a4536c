"""What can go wrong, as types. Here live exceptions that cross floors; how one is shown lives in web and cli."""

from msgspec import Struct


class WheelkeepError(Exception):
    """Base of every error that wheelkeep raises on purpose; its text is fit to be shown to a person."""


class InvalidName(WheelkeepError):
    """A project, file, source or index name outside its grammar (PEP 503, PEP 427, PEP 625)."""


class NotAPage(WheelkeepError):
    """A source's answer is not a page of the Simple API (PEP 503, PEP 691), or is beyond the bounds for one."""


class Unanswered(WheelkeepError):
    """A source did not answer, or answered what it may not: an outage, never an absence.

    ``retry_after`` is in seconds, where the other side named it.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Unwritable(WheelkeepError):
    """The disk takes nothing now: it is full, or may not be written to. What is there can still be read."""


class FileMissing(WheelkeepError):
    """The origin answered with a clean 404 for a file that its page lists, and no bytes of it are kept."""


class NotOwned(WheelkeepError):
    """A project has owners, and whoever asks is none of them."""


class NoRoom(WheelkeepError):
    """Somebody has as much under way as anybody may."""


class IdentityRefused(WheelkeepError):
    """An identity token that proves nothing here; ``code`` is PyPI's word for that kind of refusal, for programs."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Mistake(Struct, frozen=True):
    """One mistake in a configuration or policy file: where it stands, and what to write instead."""

    file: str
    line: int | None
    key: str
    says: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.says}" if self.key else f"{place}: {self.says}"


class ConfigError(WheelkeepError):
    """The configuration or the policy cannot be used; ``mistakes`` has every reason, not only the first."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes
