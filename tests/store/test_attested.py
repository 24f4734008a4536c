"""Facts about attestations: kept by file, replaced by newer ones, found by project."""

from msgspec.structs import replace

from fakes.made import DEMO, NOW, later
from fakes.stores import Store
from wheelkeep.core.attested import Fact, Publisher, Remembered
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.attested import AttestedFiles

PYPI, ACME = SourceName("pypi"), SourceName("acme")
PUBLISHER = Publisher(kind="GitHub", name="acme/demo", workflow="release.yml", number="7")
ONE = Remembered(
    source=PYPI,
    filename="demo-1.0.tar.gz",
    version="1.0",
    sha256="ab" * 32,
    fact=Fact(state="verified", publishers=(PUBLISHER,)),
    came=NOW,
    roots="cd" * 32,
    checked=later(days=1),
)


async def test_what_was_learnt_is_found_again(store: Store) -> None:
    kept = AttestedFiles(store.database)
    await kept.learn(DEMO, [])
    await kept.learn(DEMO, [ONE, replace(ONE, source=ACME, came=None)])
    assert await kept.of(DEMO, {PYPI}) == [ONE]
    assert len(await kept.of(DEMO, [PYPI, ACME])) == 2
    assert await kept.of(ProjectName("other"), [PYPI]) == []
    newer = replace(ONE, fact=Fact(state="false", why="it is forged"), checked=later(days=2))
    await kept.learn(DEMO, [newer])
    assert await kept.of(DEMO, {PYPI}) == [newer]
