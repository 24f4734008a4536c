"""The licences gate: what each state of knowledge comes to."""

import pytest

from fakes import made
from fakes.made import NOW, later
from wheelkeep.core.gates import Context
from wheelkeep.core.licence import Licences, Told
from wheelkeep.core.licences import LicencesGate
from wheelkeep.core.names import SourceName
from wheelkeep.core.verdict import Outcome, Verdict

KEY = (SourceName("pypi"), "1.0")


def said(known: Licences | None, *, admit: bool = False) -> Verdict:
    gate = LicencesGate(frozenset({"MIT"}), admit_unknown=admit, sources=made.governed())
    return gate.verdict(made.file(), Context(now=NOW, licences=known))


def told(expression: str = "", *classifiers: str) -> Licences:
    return Licences(told={KEY: Told(expression=expression, classifiers=classifiers)})


@pytest.mark.parametrize(
    ("known", "code", "words"),
    [
        (told("MIT"), "licences-allowed", "its licence is MIT"),
        (told("GPL-3.0-only"), "licences-not-allowed", "GPL-3.0-only, which is not allowed"),
        (told(), "licences-unclear", "tells no licence"),
        (told("my own"), "licences-unclear", "which licence my own is cannot be told"),
        (Licences(again=later(seconds=2)), "licences-pending", "is being looked up"),
        (Licences(troubles={KEY: "it answered 503"}), "licences-unknown", "it answered 503"),
        (None, "licences-unknown", "nobody looked"),
    ],
)
def test_each_state(known: Licences | None, code: str, words: str) -> None:
    verdict = said(known)
    assert (verdict.code, verdict.admits) == (code, code == "licences-allowed")
    assert words in verdict.sentence
    assert (verdict.outcome is Outcome.HELD) is (code == "licences-pending")
    lax = said(known, admit=True)
    assert lax.admits is (code in ("licences-allowed", "licences-unclear"))
    assert verdict.until == (later(seconds=2) if code == "licences-pending" else None)
