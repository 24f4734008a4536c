"""Learning what a page has to know of attestations: when it is asked for, what is asked first, what is kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes.attesters import Authority, authority
from fakes.indexes import Pointed
from fakes.made import DEMO, file, found, later
from fakes.stores import Store
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.rules import read_rule
from wheelkeep.index import attestor
from wheelkeep.index.explain import explain
from wheelkeep.index.view import View
from wheelkeep.sources.verifier import Verifier

WITHOUT: dict[str, Any] = {"provenance": None}


class Attested(Pointed):
    """An index with a policy, and a source whose files are attested as a test says."""

    def __init__(self, store: Store, folder: Path, policy: str) -> None:
        (folder / "policy.toml").write_text(policy)
        root = authority().root(folder / "trusted_root.json")
        super().__init__(store, policy=folder / "policy.toml", roots=(root,))

    def lists(self, *files: File) -> None:
        self.pypi.says(found("pypi", *files))
        self.index.forget(DEMO)

    def attest(self, one: File, made: Authority | None = None, **who: Any) -> File:
        document = (made or authority()).attestation(one.filename, one.sha256 or "", **who)
        bundle = {"publisher": {"kind": "unheard-of"}, "attestations": [document]}
        self.pypi.documents[one.filename] = json.dumps(
            {"version": 1, "attestation_bundles": [bundle]}
        ).encode()
        return one

    async def codes(self, **patience: float) -> dict[str, str]:
        view = await self.view(**patience)
        return {
            one.version: next(verdict.code for verdict in decision.verdicts if verdict.gate == "provenance")
            for one, decision in view.by_name.values()
        }


def wheel(version: str, day: int = 0, **told: Any) -> File:
    stamp = f"{later(days=day):%Y-%m-%dT%H:%M:%SZ}"
    ordinary = {"upload_time": stamp, "provenance": f"https://upstream.example/{version}"}
    return file(f"demo-{version}-py3-none-any.whl", **(ordinary | told))


@pytest_asyncio.fixture
async def made(store: Store, tmp_path: Path) -> AsyncIterator[Attested]:
    pointed = Attested(store, tmp_path, "[provenance]\nratchet = true\n")
    yield pointed
    await pointed.attestor.close()


async def test_without_the_gate_nothing_is_asked(store: Store, tmp_path: Path) -> None:
    pointed = Attested(store, tmp_path, '[provenance]\nrequired = ["other"]\n')
    pointed.lists(pointed.attest(wheel("1.0")))
    assert await pointed.codes() == {"1.0": "provenance-unasked"}
    assert pointed.pypi.documents_asked == []
    await pointed.attestor.close()


async def test_a_page_is_judged_by_what_was_verified_and_that_is_kept(
    made: Attested, store: Store, tmp_path: Path
) -> None:
    one, two = made.attest(wheel("1.0")), made.attest(wheel("2.0", 1), repository="evil/demo")
    made.lists(one, two, wheel("0.9", -1, **WITHOUT), wheel("3.0", 2, **WITHOUT))
    expected = {
        "0.9": "provenance-none",
        "1.0": "provenance-verified",
        "2.0": "provenance-publisher",
        "3.0": "provenance-dropped",
    }
    assert await made.codes() == expected
    assert sorted(made.pypi.documents_asked) == sorted([one.filename, two.filename])
    made.pypi.broken = Unanswered("it is away")
    made.index.forget(DEMO)
    assert await made.codes() == expected
    # After a restart too, and when the attested release is listed no more.
    again = Attested(store, tmp_path, "[provenance]\nratchet = true\n")
    again.lists(wheel("3.0", 2, **WITHOUT))
    assert await again.codes() == {"3.0": "provenance-dropped"}
    assert again.pypi.documents_asked == []
    # What once was verified is remembered, whatever is trusted now.
    again.attestor._verifier = Verifier([Authority().root(tmp_path / "other.json")])
    again.index.forget(DEMO)
    assert await again.codes() == {"3.0": "provenance-dropped"}
    await again.attestor.close()


async def test_other_trust_roots_have_to_verify_again(made: Attested, store: Store, tmp_path: Path) -> None:
    made.lists(made.attest(wheel("1.0")))
    assert await made.codes() == {"1.0": "provenance-verified"}
    other = Pointed(store, policy=tmp_path / "policy.toml", roots=(Authority().root(tmp_path / "o.json"),))
    other.pypi.documents = made.pypi.documents
    other.pypi.says(*made.pypi.answers["demo"])
    view = await other.view()
    (entry,) = view.by_name.values()
    assert entry[1].against is not None and entry[1].against.code == "provenance-foreign"
    await other.attestor.close()


async def test_a_source_that_does_not_answer_leaves_it_not_known(made: Attested) -> None:
    made.lists(made.attest(wheel("1.0")), wheel("2.0", 1, **WITHOUT))
    made.pypi.broken = Unanswered("it is away")
    assert await made.codes() == {"1.0": "provenance-unknown", "2.0": "provenance-dropped"}
    view = await made.view()
    assert view.expires < later(days=400).timestamp()
    against = view.by_name["demo-1.0-py3-none-any.whl"][1].against
    assert against is not None and "it is away" in against.sentence and against.until is not None
    made.pypi.broken = RuntimeError("a defect")
    made.index.forget(DEMO)
    made.attestor._troubles.clear()
    assert (await made.codes())["1.0"] == "provenance-unknown"


@pytest.mark.parametrize(
    ("document", "code"),
    [(None, "provenance-gone"), (b"junk", "provenance-false"), (b"{}", "provenance-false")],
)
async def test_documents_that_prove_nothing(made: Attested, document: bytes | None, code: str) -> None:
    if document is not None:
        made.pypi.documents["demo-1.0-py3-none-any.whl"] = document
    made.lists(wheel("1.0"), wheel("2.0", 1, **WITHOUT))
    assert await made.codes() == {"1.0": code, "2.0": "provenance-none"}


async def test_a_page_without_a_hash_can_not_be_attested(made: Attested) -> None:
    made.lists(wheel("1.0", sha256=None))
    assert await made.codes() == {"1.0": "provenance-unknown"}
    assert made.pypi.documents_asked == []


class Slow:
    """Lets a document through when a test says so."""

    def __init__(self, made: Attested) -> None:
        self.open: set[str] = set()
        self.all = asyncio.Event()
        self.asked: list[str] = []
        self._given = made.pypi.documents
        made.pypi.document = self.document  # type: ignore[method-assign]

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        self.asked.append(key)
        if key not in self.open:
            await self.all.wait()
        return self._given.get(key)


async def test_a_page_waits_a_moment_and_the_rest_goes_on(
    made: Attested, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attestor, "_AT_ONCE", 2)
    files = [made.attest(wheel(f"{number}.0", number)) for number in range(1, 6)]
    made.lists(*files)
    slow = Slow(made)
    slow.open = {files[0].filename, files[4].filename}
    assert set((await made.codes(patience=0)).values()) == {"provenance-pending"}
    job = made.attestor._jobs[DEMO]
    slow.all.set()
    await job
    # The first of all, and then the newest.
    assert slow.asked[:3] == [files[0].filename, files[4].filename, files[3].filename]
    assert made.recalled() is None
    assert set((await made.codes()).values()) == {"provenance-verified"}
    assert len(slow.asked) == 5


async def test_a_file_that_is_asked_for_is_decided_at_once(made: Attested) -> None:
    files = [made.attest(wheel(f"{number}.0", number)) for number in range(1, 6)]
    made.lists(*files)
    slow = Slow(made)
    slow.open = {files[0].filename, files[2].filename}
    assert (await made.codes(patience=0))["3.0"] == "provenance-pending"
    view = await made.index.decided(DEMO, files[2].filename)
    assert isinstance(view, View)
    assert view.by_name[files[2].filename][1].admitted
    assert not view.by_name[files[3].filename][1].admitted
    slow.all.set()
    await asyncio.gather(*made.attestor._jobs.values())


async def test_false_claims_do_not_stand_before_the_file_that_is_asked_for(made: Attested) -> None:
    files = [wheel(f"{number}.0", number) for number in range(1, 4)]
    for one in files[:2]:
        made.pypi.documents[one.filename] = b"{}"
    made.attest(files[2])
    made.lists(*files)
    slow = Slow(made)
    slow.open = {one.filename for one in files}
    told = await made.attestor.known(
        _gate(made),
        (await made.index.page(DEMO, patience=0)).judged.page,
        patience=0,
        first=files[2].filename,
    )
    assert told.standard is not None and told.standard.filename == files[2].filename


def _gate(made: Attested) -> Any:
    return made.holder.current.provenance


async def test_documents_may_lie_in_another_source(made: Attested) -> None:
    """As when a release is promoted, and the policy of where it goes is asked beforehand."""
    one = made.attest(wheel("1.0"))
    made.acme.documents = made.pypi.documents
    made.pypi.documents = {}
    page = found("pypi", one).page
    told = await made.attestor.known(_gate(made), page, patience=5, lies_in=SourceName("acme"))
    assert told.facts[one.filename].state == "verified"


async def test_explain_tells_who_published(made: Attested, store: Store) -> None:
    made.lists(made.attest(wheel("1.0")))
    told = await explain(made.index, read_rule("demo"), ledger=store.ledger, has_bytes=lambda _: False)
    (gate,) = [gate for gate in told.files[0].gates if gate.gate == "provenance"]
    assert gate.sentence == "attested, published by GitHub acme/demo"
