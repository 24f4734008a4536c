"""What a verifier remembers of a log from one look to the next: which key it trusts, and what the log last said."""

import hashlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store.text_file import write_text


class KnownLog(Struct, frozen=True):
    """One log, as it was when it was looked at last and all was well."""

    url: str
    key: str
    checkpoint: str
    """The signed note."""


class LogState:
    """A small file of the verifier's own; of another log it says nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, url: str) -> "LogState":
        """Where the user's own state of a log lies by default (the XDG base directories)."""
        base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        name = hashlib.sha256(url.encode()).hexdigest()[:32]
        return cls(Path(base).expanduser() / "wheelkeep" / "logs" / f"{name}.json")

    def read(self, url: str) -> KnownLog | None:
        """What is known of the log at an address; None: it was never looked at. Raises WheelkeepError."""
        try:
            known = msgspec.json.decode(self.path.read_bytes(), type=KnownLog)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise WheelkeepError(f"{self.path} is not what a verifier wrote: {error}") from None
        if known.url != url:
            raise WheelkeepError(
                f"{self.path} is about the log at {known.url}: name another file with --state"
            )
        return known

    def write(self, known: KnownLog) -> None:
        """Raises WheelkeepError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WheelkeepError(f"{self.path.parent} cannot be made: {error.strerror or error}") from None
        write_text(self.path, msgspec.json.format(msgspec.json.encode(known), indent=2).decode() + "\n")
