"""The provenance gate: what each state of knowledge comes to, and that none of them admits by ignorance."""

from typing import Any

import pytest

from fakes import made
from fakes.made import NOW, later
from wheelkeep.core.attested import Fact, Provenance, Publisher, Standard
from wheelkeep.core.gates import Context
from wheelkeep.core.provenance import ProvenanceGate
from wheelkeep.core.verdict import Outcome, Verdict

ACME = Publisher(kind="GitHub", name="acme/demo")
EVIL = Publisher(kind="GitHub", name="evil/demo")
PENDING = "provenance-pending"
NAME = "demo-2.0-py3-none-any.whl"
CLAIM = "https://upstream.example/p"
BEFORE = Standard(
    filename="demo-1.0-py3-none-any.whl", version="1.0", came=later(days=-9), publishers=(ACME,)
)


def gate(*required: str, ratchet: bool = False) -> ProvenanceGate:
    return ProvenanceGate(made.rules(*required), ratchet=ratchet, sources=made.governed())


def said(gate: ProvenanceGate, fact: Fact | None = None, claim: str | None = CLAIM, **told: Any) -> Verdict:
    known = Provenance(facts={NAME: fact} if fact is not None else {}, **told)
    file = made.file(NAME, provenance=claim, upload_time="2026-11-20T00:00:00Z")
    return gate.verdict(file, Context(now=NOW, provenance=known))


def verified(*publishers: Publisher) -> Fact:
    return Fact(state="verified", publishers=publishers)


def test_a_file_that_nothing_is_asked_of_passes_without_knowledge() -> None:
    verdict = gate("other").verdict(made.file(NAME), Context(now=NOW))
    assert verdict.code == "provenance-unasked" and verdict.admits
    assert not gate("other").asks(made.file(NAME))
    assert gate("demo").asks(made.file(NAME)) and gate(ratchet=True).asks(made.file(NAME))
    assert not gate("demo").asks(made.file(NAME, source="elsewhere"))


@pytest.mark.parametrize("asking", [gate("demo"), gate(ratchet=True)])
@pytest.mark.parametrize(
    ("fact", "outcome", "code"),
    [
        (verified(ACME), Outcome.ADMITTED, "provenance-verified"),
        (Fact(state="false", why="it is forged"), Outcome.BLOCKED, "provenance-false"),
        (Fact(state="foreign"), Outcome.BLOCKED, "provenance-foreign"),
        (Fact(state="none"), Outcome.BLOCKED, "provenance-gone"),
        (None, Outcome.HELD, PENDING),
    ],
)
def test_a_file_that_says_that_it_is_attested(
    asking: ProvenanceGate, fact: Fact | None, outcome: Outcome, code: str
) -> None:
    verdict = said(asking, fact, again=later(seconds=2))
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert verdict.until == (later(seconds=2) if code == PENDING else None)
    if fact is not None and fact.why:
        assert verdict.sentence.endswith("it is forged")


@pytest.mark.parametrize("asking", [gate("demo"), gate(ratchet=True)])
def test_what_nobody_knows_blocks(asking: ProvenanceGate) -> None:
    verdict = said(asking, troubles={NAME: "it answered 503"}, again=later(seconds=30))
    assert (verdict.outcome, verdict.code) == (Outcome.BLOCKED, "provenance-unknown")
    assert verdict.sentence.endswith("it answered 503") and verdict.until == later(seconds=30)
    nothing = asking.verdict(made.file(NAME, provenance=CLAIM), Context(now=NOW))
    assert (nothing.outcome, nothing.code) == (Outcome.BLOCKED, "provenance-unknown")


def test_required_and_not_there() -> None:
    verdict = said(gate("demo>=2"), claim=None)
    assert (verdict.outcome, verdict.code) == (Outcome.BLOCKED, "provenance-missing")
    assert "demo>=2" in verdict.sentence
    assert said(gate("demo>=3"), claim=None).admits


def test_bytes_once_verified_stay_so_whatever_the_page_says_now() -> None:
    assert said(gate("demo"), verified(ACME), claim=None).code == "provenance-verified"


def test_the_ratchet_holds_what_comes_without() -> None:
    ratchet = gate(ratchet=True)
    assert said(ratchet, claim=None).code == "provenance-none"
    verdict = said(ratchet, claim=None, standard=BEFORE)
    assert (verdict.outcome, verdict.code) == (Outcome.HELD, "provenance-dropped")
    assert "version 1.0 before it carried one by GitHub acme/demo" in verdict.sentence
    assert said(gate("other"), claim=None, standard=BEFORE).admits


def test_the_ratchet_holds_what_comes_by_another_publisher() -> None:
    ratchet = gate(ratchet=True)
    assert said(ratchet, verified(ACME), standard=BEFORE).code == "provenance-verified"
    assert said(ratchet, verified(EVIL, ACME), standard=BEFORE).admits
    verdict = said(ratchet, verified(EVIL), standard=BEFORE)
    assert (verdict.outcome, verdict.code) == (Outcome.HELD, "provenance-publisher")
    assert "GitHub evil/demo" in verdict.sentence and "GitHub acme/demo" in verdict.sentence
    assert said(gate("demo"), verified(EVIL), standard=BEFORE).admits


def test_what_came_before_the_standard_is_free() -> None:
    first = Standard(filename="x", version="3.0", came=NOW, publishers=(ACME,))
    assert said(gate(ratchet=True), claim=None, standard=first).code == "provenance-none"
    assert said(gate(ratchet=True), verified(EVIL), standard=first).admits


def test_as_long_as_the_standard_is_not_verified_nobody_keeps_to_it() -> None:
    ratchet, waiting = gate(ratchet=True), Standard(filename="x", version="1.0", came=None, publishers=None)
    assert said(ratchet, verified(ACME), standard=waiting).code == PENDING
    trouble = said(ratchet, verified(ACME), standard=waiting, troubles={"x": "it answered 503"})
    assert trouble.code == "provenance-unknown" and "it answered 503" in trouble.sentence
    assert said(ratchet, claim=None, standard=waiting).code == "provenance-dropped"
