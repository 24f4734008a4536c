"""The advisories gate, and what is laid out for it: documents of a source, dumps, and both of one thing."""

from typing import Any

import pytest

from fakes import made
from fakes.made import DEMO, NOW
from fakes.osv import HIGH, LOW, record
from wheelkeep.core.advisories import AdvisoriesGate, Knowledge, Told
from wheelkeep.core.advisory import Advisory
from wheelkeep.core.gates import Context
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy_file import Severity
from wheelkeep.core.read_advisories import read_osv
from wheelkeep.core.verdict import Outcome, Verdict

VERSIONS = ["1.0", "1.5", "2.0", "3.0"]


def told(
    identity: str = "PYSEC-1", *fixed: str, aliases: tuple[str, ...] = (), severity: str | None = None
) -> Advisory:
    return Advisory(id=identity, project=DEMO, fixed=fixed, aliases=aliases, severity=severity)


def from_dump(*records: dict[str, Any]) -> list[Advisory]:
    return [advisory for one in records for advisory in read_osv(one).advisories]


def known(
    *, document: Told | None = None, dump: list[Advisory] | None = None, complete: bool = False
) -> Knowledge:
    return Knowledge(VERSIONS, told=document, dumped=dump or (), complete=complete, why="it has none")


def said(knowledge: Knowledge | None, version: str, severity: Severity = "any") -> Verdict:
    gate = AdvisoriesGate(severity, made.governed())
    advisories = None if knowledge is None else {SourceName("pypi"): knowledge}
    return gate.verdict(made.versions(version)[0], Context(now=NOW, advisories=advisories))


def blocked(knowledge: Knowledge, severity: Severity = "any") -> list[str]:
    return [one for one in VERSIONS if not said(knowledge, one, severity).admits]


def test_what_nobody_tells_blocks() -> None:
    for knowledge in (None, known()):
        verdict = said(knowledge, "1.0")
        assert (verdict.outcome, verdict.code) == (Outcome.BLOCKED, "advisories-unknown")
        assert "wheelkeep advisories import" in verdict.remedy
    assert "it has none" in said(known(), "1.0").sentence


def watched(knowledge: Knowledge | None, version: str) -> Verdict:
    gate = AdvisoriesGate("any", made.governed("acme"), watched=made.governed("pypi", "acme"))
    advisories = None if knowledge is None else {SourceName("pypi"): knowledge}
    return gate.verdict(made.versions(version)[0], Context(now=NOW, advisories=advisories))


def test_of_a_source_that_is_only_watched_malware_alone_counts() -> None:
    assert watched(None, "1.0").code == watched(known(), "1.0").code == "advisories-watched"
    assert watched(known(dump=from_dump(record("GHSA-1", events=[]))), "1.0").admits
    bad = known(dump=from_dump(record("MAL-1", vector=None, versions=["1.5"], events=[])))
    assert [one for one in VERSIONS if not watched(bad, one).admits] == ["1.5"]
    assert watched(bad, "1.5").sentence == "MAL-1 (critical): known against demo 1.5"
    aliased = known(document=Told(newest="3.0", own={"1.5": (told("GHSA-1", aliases=("MAL-1",)),)}))
    assert [one for one in VERSIONS if not watched(aliased, one).admits] == ["1.5"]


def test_a_record_that_was_not_read_whole_leaves_the_rest_unknown_and_that_blocks() -> None:
    part = Advisory(id="MAL-1", project=DEMO, severity="critical", versions=("1.5",), cut=True)
    for verdicts in (
        [said(known(dump=[part], complete=True), one) for one in VERSIONS],
        [watched(known(dump=[part]), one) for one in VERSIONS],
    ):
        assert [one.code.removeprefix("advisories-") for one in verdicts] == [
            "unknown", "affected", "unknown", "unknown"
        ]  # fmt: skip
        assert "MAL-1 names more versions than are read" in verdicts[0].sentence
    lesser = Advisory(id="GHSA-1", project=DEMO, severity="low", versions=("1.5",), cut=True)
    assert watched(known(dump=[lesser]), "1.0").admits


def test_a_source_that_lists_none() -> None:
    assert said(known(document=Told(newest="3.0")), "1.0").code == "advisories-clear"
    assert said(known(complete=True), "1.0").code == "advisories-clear"


def test_the_project_s_document_means_what_is_older_than_the_fix() -> None:
    document = Told(newest="3.0", advisories=(told("PYSEC-1", "2.0"),))
    assert blocked(known(document=document)) == ["1.0", "1.5"]
    assert blocked(known(document=Told(newest="3.0", advisories=(told("PYSEC-1"),)))) == VERSIONS
    verdict = said(known(document=document), "1.0")
    assert verdict.sentence.startswith("PYSEC-1 (severity not told)")
    assert "2.0" in verdict.remedy


def test_a_version_s_document_means_that_version() -> None:
    document = Told(
        newest="3.0", own={"1.0": (told("PYSEC-1", "1.5"),), "1.5": (told("PYSEC-2", "1.5"),), "2.0": ()}
    )
    assert blocked(known(document=document)) == ["1.0"]
    waiting = Told(newest="3.0", own={}, waiting=frozenset({"1.0"}))
    assert said(known(document=waiting), "1.0").code == "advisories-unknown"
    assert said(known(document=waiting), "2.0").code == "advisories-clear"
    assert said(known(document=waiting, complete=True), "1.0").code == "advisories-clear"


def test_a_dump_tells_exactly_which_versions() -> None:
    dump = from_dump(record("GHSA-1", events=[{"introduced": "1.5"}, {"fixed": "2.0"}], aliases=["PYSEC-1"]))
    assert blocked(known(dump=dump)) == ["1.5"]
    # What the project's document tells of the same thing is then believed of its own version alone.
    document = Told(newest="3.0", advisories=(told("PYSEC-1", "9.0"),))
    both = known(document=document, dump=dump, complete=True)
    assert blocked(both) == ["1.5", "3.0"]
    assert "GHSA-1" in said(both, "3.0").sentence
    assert "PYSEC-1" in said(both, "3.0").sentence


@pytest.mark.parametrize(
    ("vector", "severity", "stops"),
    [
        (HIGH, "high", True),
        (HIGH, "critical", False),
        (LOW, "medium", False),
        (LOW, "low", True),
        (None, "critical", True),
    ],
)
def test_severity(vector: str | None, severity: Severity, stops: bool) -> None:
    verdict = said(known(dump=from_dump(record(vector=vector)), complete=True), "1.0", severity)
    assert verdict.admits is not stops
    assert verdict.code == ("advisories-affected" if stops else "advisories-lesser")
    assert "GHSA-1" in verdict.sentence


def test_one_thing_by_several_names_has_the_worst_severity_that_is_told() -> None:
    dump = from_dump(
        record("PYSEC-1", vector=None, aliases=["CVE-1"]),
        record("GHSA-1", vector=LOW, aliases=["CVE-1"]),
        record("GHSA-9", vector=LOW),
    )
    assert blocked(known(dump=dump, complete=True), "medium") == []
    (first, second) = known(dump=dump).against("1.0")
    assert {first.ids, second.ids} == {("PYSEC-1", "GHSA-1", "CVE-1"), ("GHSA-9",)}


def test_the_worst_is_named_first() -> None:
    dump = from_dump(*(record(f"GHSA-{n}", vector=LOW) for n in range(9)), record("MAL-1", vector=None))
    sentence = said(known(dump=dump), "1.0").sentence
    assert sentence.startswith("MAL-1 (critical)")
    assert "and 5 more" in sentence


def test_a_release_that_mends() -> None:
    document = Told(newest="3.0", own={"1.0": (told("PYSEC-1", "1.5"),), "1.5": (), "2.0": ()})
    found = known(document=document)
    assert [trouble.ids[0] for trouble in found.mends("1.5")] == ["PYSEC-1"]
    assert found.mends("1.0") == found.mends("2.0") == []
    last = from_dump(record(events=[{"introduced": "0"}, {"last_affected": "1.0"}]))
    assert known(dump=last).mends("1.5")
    # Not one that has something else against it, and not one of which that is not known.
    other = from_dump(record("GHSA-2", events=[{"introduced": "1.5"}], vector=LOW))
    assert known(dump=last + other).mends("1.5") == []
    waiting = Told(newest="3.0", own=document.own, waiting=frozenset({"1.5"}))
    assert known(document=waiting).mends("1.5") == []


@pytest.mark.timeout(20)
def test_a_large_page_with_many_advisories_is_laid_out_quickly() -> None:
    versions = [
        f"{major}.{minor}.{patch}" for major in range(10) for minor in range(10) for patch in range(10)
    ]
    dump = from_dump(
        *(
            record(f"GHSA-{n}", events=[{"introduced": f"{n % 9}.0"}, {"fixed": f"{n % 9}.{n % 10}.3"}])
            for n in range(400)
        )
    )
    Knowledge(versions, told=None, dumped=dump, complete=True)


@pytest.mark.timeout(20)
def test_names_that_all_lead_to_each_other_are_grouped_quickly() -> None:
    """A source chooses the aliases, and could make each record join what stood apart."""
    apart = [told(f"A{n}", aliases=tuple(f"x{n}-{k}" for k in range(40))) for n in range(900)]
    joining = [told(f"B{n}", aliases=tuple(f"x{n * 9 + k}-0" for k in range(9))) for n in range(100)]
    laid = known(document=Told(newest="3.0", advisories=(*apart, *joining)))
    assert len(laid.against("1.0")) == 100


@pytest.mark.timeout(20)
def test_many_fixes_of_many_advisories_are_laid_out_quickly() -> None:
    versions = [f"{major}.{minor}.1" for major in range(30) for minor in range(30)]
    advisories = [told(f"A{n}", *(f"{k}.{n % 30}.5" for k in range(30))) for n in range(200)]
    Knowledge(versions, told=Told(newest="1.0", advisories=tuple(advisories)))
