"""``[provenance]``: files must carry a verified attestation (PEP 740), where the policy requires one or the project's
files before had one (``ratchet``).

Verified: the signature is right by a trust root on disk, it speaks of this file name and these bytes, and the
certificate names no other publisher than the index does. All of that is known beforehand: see ``Context.provenance``.
"""

from wheelkeep.core.attested import Fact, Provenance, Publisher, Standard
from wheelkeep.core.gates import Context, admitted, blocked
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.rules import Rule, RuleSet
from wheelkeep.core.verdict import Outcome, Verdict

_WAIVER = 'or ask for a waiver with gates = ["provenance"]'
_LOOK = f"a person has to look who published it, {_WAIVER}"


class ProvenanceGate:
    """Who required it, and by whom it must be, is told in the sentence."""

    name = "provenance"

    def __init__(self, required: RuleSet, *, ratchet: bool, sources: frozenset[SourceName]) -> None:
        self.sources = sources
        self.ratchet = ratchet
        self._required = required
        self._unasked = admitted(self.name, "provenance-unasked", "the policy asks for no attestation of it")
        self._silent = admitted(
            self.name, "provenance-none", "it carries no attestation, as nothing of the project before it did"
        )

    def asks(self, file: File) -> bool:
        """Whether the verdict depends on what is known of attestations."""
        if file.source not in self.sources:
            return False
        return self.ratchet or self._required.match(file.project, file.version) is not None

    def verdict(self, file: File, context: Context) -> Verdict:
        rule = self._required.match(file.project, file.version)
        if rule is None and not self.ratchet:
            return self._unasked
        known = context.provenance
        if known is None:
            return self._unknown("nobody looked", None)
        fact = known.facts.get(file.filename)
        standard = known.standard if self.ratchet else None
        if standard is not None and not standard.before(file):
            standard = None
        if fact is not None and fact.state == "verified":
            return self._attested(fact, standard, known)
        if file.provenance is None:
            return self._without(rule, standard)
        if fact is not None:
            return self._unproven(fact)
        if (why := known.troubles.get(file.filename)) is not None:
            return self._unknown(why, known)
        return self._pending("its attestations are being verified", known)

    def _attested(self, fact: Fact, standard: Standard | None, known: Provenance) -> Verdict:
        words = _words(fact.publishers)
        if standard is not None and standard.publishers is None:
            if (why := known.troubles.get(standard.filename)) is not None:
                return self._unknown(f"{standard.filename} was attested before it, and {why}", known)
            return self._pending(
                f"the attestations of {standard.filename} before it are being verified", known
            )
        if standard is not None and not _shared(fact.publishers, standard.publishers or ()):
            return Verdict(
                gate=self.name,
                outcome=Outcome.HELD,
                code="provenance-publisher",
                sentence=f"published by {words}, where {_version(standard)} was published by "
                f"{_words(standard.publishers or ())}",
                remedy=_LOOK,
            )
        return admitted(self.name, "provenance-verified", f"attested, published by {words}")

    def _without(self, rule: Rule | None, standard: Standard | None) -> Verdict:
        if rule is not None:
            return blocked(
                self.name,
                "provenance-missing",
                f'it carries no attestation, which the policy requires of "{rule.text}"',
                f"take a version that carries one, {_WAIVER}",
            )
        if standard is None:
            return self._silent
        by = f" by {_words(standard.publishers)}" if standard.publishers else ""
        return Verdict(
            gate=self.name,
            outcome=Outcome.HELD,
            code="provenance-dropped",
            sentence=f"it carries no attestation, where {_version(standard)} before it carried one{by}",
            remedy=_LOOK,
        )

    def _unproven(self, fact: Fact) -> Verdict:
        if fact.state == "none":
            says = "its page tells of an attestation that is not there"
            return blocked(self.name, "provenance-gone", says, f"its source must offer it, {_WAIVER}")
        if fact.state == "foreign":
            says = "its attestation is signed with a certificate of an authority that no trust root has"
            remedy = f"name the authority's trust root in trust_roots, {_WAIVER}"
            return blocked(self.name, "provenance-foreign", says, remedy)
        says = f"its attestation is false: {fact.why}"
        return blocked(self.name, "provenance-false", says, f"take another version, {_WAIVER}")

    def _unknown(self, why: str, known: Provenance | None) -> Verdict:
        return Verdict(
            gate=self.name,
            outcome=Outcome.BLOCKED,
            code="provenance-unknown",
            sentence=f"whether it is attested is not known: {why}",
            remedy=f"try again later, {_WAIVER}",
            until=known.again if known is not None else None,
        )

    def _pending(self, says: str, known: Provenance) -> Verdict:
        return Verdict(
            gate=self.name,
            outcome=Outcome.HELD,
            code="provenance-pending",
            sentence=says,
            remedy="try again in a moment: the file itself is decided as soon as it is asked for",
            until=known.again,
        )


def _shared(publishers: tuple[Publisher, ...], others: tuple[Publisher, ...]) -> bool:
    return any(one.same(other) for one in publishers for other in others)


def _words(publishers: tuple[Publisher, ...]) -> str:
    return " and ".join(publisher.words for publisher in publishers[:3])


def _version(standard: Standard) -> str:
    return f"version {standard.version}"
