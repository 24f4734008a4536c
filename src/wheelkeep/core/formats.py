"""``[formats]``: what kinds of files may come in, and how large."""

from wheelkeep.core.gates import Context, admitted, blocked
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.verdict import Verdict


class FormatsGate:
    """Wheels only, where it says so (an sdist runs code when it is built), and nothing above a size."""

    name = "formats"

    def __init__(self, *, wheels_only: bool, max_size: int | None, sources: frozenset[SourceName]) -> None:
        """``max_size`` in bytes."""
        self.sources = sources
        self._wheels_only = wheels_only
        self._max_size = max_size
        self._fits = admitted(self.name, "formats-fit", "its kind and size are allowed")

    def verdict(self, file: File, context: Context) -> Verdict:
        if self._wheels_only and file.kind != "wheel":
            return blocked(
                self.name,
                "formats-kind",
                "an sdist, and only wheels are allowed",
                "the project must publish a wheel, or one is built from its sdist into a source of your own",
            )
        if self._max_size is not None:
            if file.size is None:
                return blocked(
                    self.name,
                    "formats-size-unknown",
                    "its size is not told, and the policy limits it",
                    "its source must tell the size",
                )
            if file.size > self._max_size:
                return blocked(
                    self.name,
                    "formats-size",
                    f"{file.size} bytes, more than the {self._max_size} that are allowed",
                    'ask the keepers of the policy for a waiver with gates = ["formats"]',
                )
        return self._fits
