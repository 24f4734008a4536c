"""What was built stays on record; of what was deleted nothing is taken again."""

from datetime import timedelta

from fakes.builds import KEY, TOOLS, built, material
from fakes.made import NOW, sha
from fakes.stores import Store
from wheelkeep.core.built import Built
from wheelkeep.core.names import ProjectName
from wheelkeep.core.statement import sign, write_statement
from wheelkeep.store.builds import Builds, forget

DEMO = ProjectName("demo")


async def add(builds: Builds, made: Built) -> None:
    await builds.add(made, sign(write_statement(made, KEY.public), KEY))


async def test_a_build_is_found_by_what_it_was_made_of_the_newest_first(store: Store) -> None:
    builds = Builds(store.database)
    first, second = built(id="1"), built(id="2", ended=NOW + timedelta(hours=1), sha256=sha("other"))
    for made in (first, second, built(id="3", sdist=material("demo-2.0.tar.gz", version="2.0"))):
        await add(builds, made)
    of, python, platform = first.sdist.sha256, TOOLS.python, TOOLS.platform
    assert await builds.of_sdist(of, python, platform) == [second, first]
    assert await builds.of_sdist(of, "cpython 3.13.0", platform) == []
    assert await builds.of_sdist(of, python, "any") == []
    assert [one.built.id for one in await builds.of_project(DEMO)] == ["2", "1", "3"]
    assert (await builds.wheels(DEMO))[second.sha256] == "2"
    assert {first.sha256, second.sha256, of} <= await builds.needed()


async def test_of_what_was_deleted_the_statement_stays_and_nothing_else(store: Store) -> None:
    builds, made = Builds(store.database), built()
    await add(builds, made)
    async with store.database.write() as connection:
        await forget(connection, made.sha256)
    assert await builds.of_sdist(made.sdist.sha256, TOOLS.python, TOOLS.platform) == []
    assert await builds.needed() == set()
    assert [one.built for one in await builds.of_project(DEMO)] == [made]
