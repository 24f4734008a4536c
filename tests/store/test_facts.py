"""Smaller things that are known."""

from fakes.made import DEMO, NOW, file, later, sha
from fakes.stores import Store
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.facts import Health, KnownMetadata

PYPI, ACME = SourceName("pypi"), SourceName("acme")
TOLD = KnownMetadata(sha("told"), b"told", own=False)
OWN = KnownMetadata(sha("own"), b"own", own=True)
WHEEL = file()


async def test_metadata(store: Store) -> None:
    facts = store.facts
    assert await facts.metadata(PYPI, WHEEL.filename) is None
    await facts.learn_metadata(WHEEL, TOLD)
    assert await facts.metadata(PYPI, WHEEL.filename) == TOLD
    assert await facts.metadata(ACME, WHEEL.filename) is None
    other = file("other-1.0-py3-none-any.whl")
    await facts.learn_metadata(other, KnownMetadata("", b"", own=True))
    assert await facts.metadata(PYPI, other.filename) == KnownMetadata("", b"", own=True)
    assert await facts.metadata_hashes(PYPI, DEMO) == {WHEEL.filename: sha("told")}
    assert await facts.metadata_hashes(PYPI, ProjectName("other")) == {other.filename: ""}
    assert await facts.metadata_hashes(ACME, DEMO) == {}


async def test_what_the_wheel_itself_says_is_only_replaced_by_the_like(store: Store) -> None:
    again = KnownMetadata(sha("again"), b"again", own=False)
    for known, expected in ((TOLD, TOLD), (again, again), (OWN, OWN), (TOLD, OWN)):
        await store.facts.learn_metadata(WHEEL, known)
        assert await store.facts.metadata(PYPI, WHEEL.filename) == expected


async def test_files_of_a_folder(store: Store) -> None:
    facts = store.facts
    seen = {"a.whl": ("1:2:3", WHEEL), "sub/b.whl": ("4:5:6", file(source="acme"))}
    await facts.learn_directory(PYPI, seen, [])
    assert await facts.directory(PYPI) == seen
    assert await facts.directory(ACME) == {}
    changed = {"a.whl": ("1:9:3", WHEEL)}
    await facts.learn_directory(PYPI, changed, ["sub/b.whl", "never-there.whl"])
    assert await facts.directory(PYPI) == changed


async def test_hosted_files(store: Store) -> None:
    facts = store.facts
    own = file(source="acme")
    assert await facts.hosted(ACME, DEMO) is None
    await store.uploads.add(own)
    newer = file("demo-2.0.tar.gz", source="acme")
    await store.uploads.add(newer)
    assert await facts.hosted(ACME, DEMO) == [own, newer]
    assert await facts.hosted(PYPI, DEMO) is None
    assert await facts.hosted_names(ACME) == [DEMO]
    assert await facts.hosted_names(PYPI) == []


async def test_documents(store: Store) -> None:
    facts = store.facts
    assert await facts.document(PYPI, "json", "demo") is None
    await facts.learn_document(PYPI, "json", "demo", b"{}", NOW)
    await facts.learn_document(PYPI, "json", "demo", b'{"a": 1}', later(hours=1))
    await facts.learn_document(PYPI, "names", "", b"", NOW)
    assert await facts.document(PYPI, "json", "demo") == (b'{"a": 1}', later(hours=1))
    assert await facts.document(PYPI, "names", "") == (b"", NOW)
    assert await facts.document(ACME, "json", "demo") is None


async def test_health(store: Store) -> None:
    assert await store.facts.health() == {}
    down = Health(answered=NOW, failed=later(minutes=1), reason="it answered 503")
    await store.facts.learn_health(PYPI, down)
    await store.facts.learn_health(ACME, Health(answered=NOW))
    assert await store.facts.health() == {PYPI: down, ACME: Health(answered=NOW)}
    await store.facts.learn_health(PYPI, Health(answered=later(minutes=2), failed=down.failed))
    assert (await store.facts.health())[PYPI].reason is None
