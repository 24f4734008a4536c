"""Why each file is served or not, as a client's own request would find it."""

from pathlib import Path

import pytest

from core.test_answers import answer
from fakes.indexes import Pointed
from fakes.made import NOW, file, found, sha
from fakes.stores import Store
from wheelkeep.core.answers import REFUSED, in_force
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.offer import Selection
from wheelkeep.core.rules import read_rule
from wheelkeep.index.explain import Explanation, GateSaid, SourceSaid, explain
from wheelkeep.index.policies import PolicyHolder
from wheelkeep.store.ledger import Entry


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text("")
    return path


@pytest.fixture
def pointed(store: Store, policy: Path) -> Pointed:
    made = Pointed(store, policy=policy)
    made.pypi.says(found("pypi", "1.0", "1.10", "1.9", "2.0rc1"))
    return made


async def said(pointed: Pointed, requirement: str = "demo") -> Explanation:
    def has_bytes(one: File) -> bool:
        return one.sha256 is not None and pointed.store.blobs.has(one.sha256)

    pointed.index = pointed.made()
    return await explain(
        pointed.index, read_rule(requirement), ledger=pointed.store.ledger, has_bytes=has_bytes
    )


def rewrite(pointed: Pointed, policy: Path, text: str) -> None:
    policy.write_text(text)
    pointed.holder = PolicyHolder(policy, {source.name: source.remote for source in pointed.sources})


async def test_candidates_the_newest_first_with_every_gate(pointed: Pointed) -> None:
    explanation = await said(pointed)
    assert [one.version for one in explanation.files] == ["2.0rc1", "1.10", "1.9", "1.0"]
    first = explanation.files[0]
    assert (first.source, first.verdict, first.kept, first.gone, first.changed) == (
        "pypi",
        "admitted",
        False,
        False,
        None,
    )
    assert first.gates == (
        GateSaid(
            gate="advisories",
            outcome="admitted",
            code="advisories-watched",
            sentence="it is not known as malware; the policy asks for nothing more",
        ),
        GateSaid(
            gate="hashes",
            outcome="admitted",
            code="hashes-stated",
            sentence="its sha256 is known, and no other bytes are ever served",
        ),
    )
    assert (explanation.admitted, explanation.owners) == (True, ("pypi",))
    assert explanation.says == "4 of 4 files admitted; demo belongs to pypi"
    assert (explanation.index, explanation.project, explanation.requirement) == ("main", "demo", "demo")


async def test_only_the_files_that_the_requirement_means(pointed: Pointed) -> None:
    explanation = await said(pointed, "Demo>=1.9,<2")
    assert [one.version for one in explanation.files] == ["1.10", "1.9"]
    assert explanation.requirement == "Demo>=1.9,<2"
    nothing = await said(pointed, "demo>=9")
    assert (nothing.files, nothing.admitted) == ((), False)
    assert nothing.says == "demo belongs to pypi, which has no file for demo>=9"


async def test_what_blocks_and_what_would_change_it(pointed: Pointed, policy: Path) -> None:
    waiver = (
        '[[waiver]]\npackage = "demo==1.9"\ngates = ["deny"]\nreason = "why"\nby = "who"\nuntil = 2099-12-31'
    )
    rewrite(pointed, policy, f'[deny]\npackages = ["demo<2"]\nreason = "INC-42"\n{waiver}\n')
    explanation = await said(pointed, "demo<2.0.dev0")
    by_version = {one.version: one for one in explanation.files}
    deny = by_version["1.10"].gates[0]
    assert by_version["1.10"].verdict == "blocked"
    assert (deny.gate, deny.outcome, deny.code, deny.waiver) == ("deny", "blocked", "deny-package", "")
    assert deny.sentence.startswith("INC-42")
    assert deny.remedy
    waived = by_version["1.9"].gates[0]
    assert by_version["1.9"].verdict == "admitted"
    assert (waived.outcome, waived.waiver) == ("waived", "until 2099-12-31 by who: why")
    assert explanation.says == "1 of 3 files admitted; demo belongs to pypi"


async def test_a_name_that_no_source_has(pointed: Pointed) -> None:
    explanation = await said(pointed, "nothing")
    assert explanation.says == "no source of this index has nothing"
    assert [(one.source, one.answer) for one in explanation.sources] == [
        ("acme", "does not have it"),
        ("pypi", "does not have it"),
    ]


async def test_a_source_that_is_away(pointed: Pointed) -> None:
    pointed.acme.says(Unreachable(source=pointed.acme.name, reason="it answered 503"))
    explanation = await said(pointed)
    assert explanation.says == "the source acme might have demo, but it answered 503"
    assert explanation.sources[0] == SourceSaid(source="acme", answer="unreachable", why="it answered 503")
    assert explanation.sources[1].answer == "not asked"
    assert not pointed.pypi.asked


async def test_an_old_page_says_why_it_is_old(pointed: Pointed) -> None:
    pointed.acme.says(found("acme", "1.0", stale="it answered 503"))
    assert (await said(pointed)).sources[0] == SourceSaid(
        source="acme", answer="has it", why="it answered 503"
    )


async def test_what_a_better_source_shadows_is_told_without_asking(pointed: Pointed) -> None:
    pointed.acme.says(found("acme", "1.0"))
    explanation = await said(pointed)
    assert explanation.sources == (
        SourceSaid(source="acme", answer="has it", why="1 files"),
        SourceSaid(
            source="pypi",
            answer="not asked",
            why="a better source decides",
            shadowed=4,
            newest_shadowed="1.10",
        ),
    )
    assert not pointed.pypi.asked


async def test_a_reserved_name(pointed: Pointed) -> None:
    pointed.reserved = [(pointed.acme.name, ["demo"])]
    explanation = await said(pointed)
    assert explanation.sources == (
        SourceSaid(source="acme", answer="has it", why="reserved, no file yet"),
        SourceSaid(source="pypi", answer="not asked", why="the name is reserved for acme"),
    )
    assert not pointed.pypi.asked


async def test_a_source_that_may_not_offer_the_name(pointed: Pointed) -> None:
    pointed.acme.says(found("acme", "1.0"))
    pointed.selections["acme"] = Selection(None, ["demo"])
    explanation = await said(pointed)
    assert explanation.sources[0] == SourceSaid(
        source="acme", answer="not asked", why="its include or exclude keeps the name out"
    )
    assert explanation.owners == ("pypi",)
    pointed.selections["acme"] = Selection(None, ["demo<2"])
    assert (await said(pointed)).sources[0].answer == "does not have it"


async def test_a_name_that_is_not_listed(pointed: Pointed, policy: Path) -> None:
    rewrite(pointed, policy, '[allow]\npackages = ["other"]\n')
    explanation = await said(pointed)
    assert explanation.says.startswith("allow: demo is not on the allow list, so pypi was not asked; ask ")
    assert explanation.sources[1] == SourceSaid(
        source="pypi", answer="not asked", why="allow: demo is not on the allow list"
    )
    assert not pointed.pypi.asked
    assert (explanation.admitted, explanation.files) == (False, ())


async def test_what_is_kept_gone_changed_and_yanked(pointed: Pointed) -> None:
    sha256 = await pointed.store.keep(b"bytes")
    one = file(sha256=sha256, gone=True, left="project", changed=sha("told later"), yanked="broken")
    pointed.pypi.says(found("pypi", one))
    (told,) = (await said(pointed)).files
    assert told.left == "project"
    assert (told.sha256, told.kept, told.gone, told.changed, told.yanked) == (
        sha256,
        True,
        True,
        sha("told later"),
        "broken",
    )


async def test_incidents_of_the_name(pointed: Pointed) -> None:
    detail = {"what": "hash-changed", "stands": sha("a"), "came": sha("b")}
    await pointed.store.ledger.append(
        [
            Entry(
                kind="incident",
                at=NOW,
                source="pypi",
                project="demo",
                filename="demo-1.tar.gz",
                detail=detail,
            ),
            Entry(kind="incident", at=NOW, project="other"),
            Entry(kind="incident", at=NOW, source="elsewhere", project="demo", detail=detail),
            Entry(kind="blocked", at=NOW, project="demo"),
        ]
    )
    assert (await said(pointed)).incidents == (
        {"at": "2026-11-22T12:00:00Z", "file": "demo-1.tar.gz", **detail},
    )


async def test_what_people_answered(pointed: Pointed, policy: Path) -> None:
    rewrite(pointed, policy, '[allow]\npackages = ["other"]\n')
    given = [answer("demo==1.0"), answer("demo==1.9", REFUSED, reason="use 1.0")]
    pointed.holder.answer(in_force(given))
    files = {one.version: one for one in (await said(pointed)).files}
    gates = {version: {gate.gate: gate for gate in one.gates} for version, one in files.items()}
    lifted = gates["1.0"]["allow"]
    assert (files["1.0"].verdict, lifted.outcome, lifted.waiver) == ("admitted", "waived", "")
    assert lifted.approval == "approved by ada on 2026-11-22: we need it"
    assert gates["1.9"]["allow"].sentence.endswith("; refused by ada on 2026-11-22: use 1.0")
    assert gates["1.10"]["allow"].sentence == "demo is not on the allow list"
