"""``[licences]``: only releases under these SPDX licences; those of unknown licence as the policy says."""

from wheelkeep.core.gates import Context, admitted, blocked
from wheelkeep.core.licence import Licences, Told, allows
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.verdict import Outcome, Verdict

_WAIVER = 'ask for a waiver with gates = ["licences"]'


class LicencesGate:
    """Judges a release by what its metadata tells; all files of a version have one licence."""

    name = "licences"

    def __init__(self, allow: frozenset[str], *, admit_unknown: bool, sources: frozenset[SourceName]) -> None:
        self.sources = sources
        self._allow = allow
        self._admit_unknown = admit_unknown

    def asks(self, file: File) -> bool:
        """Whether the verdict depends on what is known of licences."""
        return file.source in self.sources

    def verdict(self, file: File, context: Context) -> Verdict:
        known = context.licences
        if known is None:
            return self._unknown("nobody looked", None)
        told = known.told.get((file.source, file.version))
        if told is not None:
            return self._judged(told)
        if (why := known.troubles.get((file.source, file.version))) is not None:
            return self._unknown(why, known)
        return Verdict(
            gate=self.name,
            outcome=Outcome.HELD,
            code="licences-pending",
            sentence="its licence is being looked up",
            remedy="try again in a moment: the file itself is decided as soon as it is asked for",
            until=known.again,
        )

    def _judged(self, told: Told) -> Verdict:
        allowed = allows(told, self._allow)
        if allowed:
            return admitted(self.name, "licences-allowed", f"its licence is {told.words}")
        if allowed is False:
            says = f"its licence is {told.words}, which is not allowed"
            remedy = f"ask the keepers of the policy to add it to [licences] allow, or {_WAIVER}"
            return blocked(self.name, "licences-not-allowed", says, remedy)
        says = (
            f"which licence {told.words} is cannot be told" if told.words else "its metadata tells no licence"
        )
        if self._admit_unknown:
            return admitted(self.name, "licences-untold", says)
        return blocked(self.name, "licences-unclear", says, f"find out its licence and {_WAIVER}")

    def _unknown(self, why: str, known: Licences | None) -> Verdict:
        return Verdict(
            gate=self.name,
            outcome=Outcome.BLOCKED,
            code="licences-unknown",
            sentence=f"its licence is not known: {why}",
            remedy=f"try again later, or {_WAIVER}",
            until=known.again if known is not None else None,
        )
