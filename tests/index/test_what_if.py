"""Another policy replayed over what is kept, what was refused and what locks name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.indexes import Pointed
from fakes.made import file, found, sha
from fakes.stores import Store
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.model import Absent, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index.policies import PolicyHolder
from wheelkeep.index.what_if import PolicyDiff, diff
from wheelkeep.store.fetches import Fetch
from wheelkeep.store.ledger import Entry
from wheelkeep.store.pages import StoredPage

PYPI = SourceName("pypi")


@pytest.fixture
def pointed(store: Store, tmp_path: Path) -> Pointed:
    (tmp_path / "old.toml").write_text('[allow]\npackages = ["demo<3", "locked"]\n')
    made = Pointed(store, policy=tmp_path / "old.toml")
    made.acme.says(found("acme", file("ours-1.0.tar.gz", source="acme")), project="ours")
    made.acme.listed = ["ours"]
    return made


async def stored(pointed: Pointed, *versions: str, kept: tuple[str, ...] = ()) -> None:
    """A page of demo in the store, with the bytes of some versions."""
    files = []
    for version in versions:
        content = f"demo {version}".encode()
        sha256 = await pointed.store.keep(content) if version in kept else sha(content.decode())
        files.append(file(f"demo-{version}.tar.gz", sha256=sha256))
    answer = found("pypi", *files)
    pointed.pypi.says(answer)
    page = StoredPage(page=answer.page, etag=None, checked=datetime.now(UTC))
    await pointed.store.pages.change(PYPI, ProjectName("demo"), lambda _: page)


async def compared(pointed: Pointed, tmp_path: Path, policy: str, *locks: Lock, days: int = 30) -> PolicyDiff:
    path = tmp_path / "new.toml"
    path.write_text(policy)
    holder = PolicyHolder(path, {source.name: source.remote for source in pointed.sources})
    store = pointed.store
    return await diff(
        pointed.index,
        holder.current,
        blobs=store.blobs,
        pages=store.pages,
        ledger=store.ledger,
        fetches=store.fetches,
        locks=[(lock.path, lock) for lock in locks],
        days=days,
    )


async def test_what_is_kept_and_would_be_blocked(pointed: Pointed, tmp_path: Path) -> None:
    await stored(pointed, "1.0", "2.0", "2.5", kept=("1.0", "2.0"))
    made = await compared(pointed, tmp_path, '[deny]\npackages = ["demo>=2", "ours"]\nreason = "INC-42"\n')
    assert [(one.filename, one.source, one.gate, one.code, one.why) for one in made.blocked] == [
        ("demo-2.0.tar.gz", "pypi", "deny", "deny-package", ("kept",)),
        ("ours-1.0.tar.gz", "acme", "deny", "deny-package", ("kept",)),
    ]
    assert made.blocked[0].sentence == 'INC-42 (denied as "demo>=2")'
    assert (made.judged, made.freed, made.unknown) == (3, (), ())
    assert pointed.pypi.asked == []


async def test_what_was_refused_and_would_be_freed(pointed: Pointed, tmp_path: Path) -> None:
    await stored(pointed, "3.0", "4.0", "5.0")
    now = datetime.now(UTC)
    for version, age, index in (("3.0", 1, "main"), ("4.0", 40, "main"), ("5.0", 1, "other")):
        entry = Entry(
            kind="blocked",
            at=now - timedelta(days=age),
            source="pypi",
            project="demo",
            filename=f"demo-{version}.tar.gz",
            detail={"index": index},
        )
        await pointed.store.ledger.append([entry])
    made = await compared(pointed, tmp_path, "")
    assert [(one.filename, one.gate, one.why) for one in made.freed] == [
        ("demo-3.0.tar.gz", "allow", ("asked for",))
    ]
    made = await compared(pointed, tmp_path, "", days=50)
    assert [one.version for one in made.freed] == ["3.0", "4.0"]


def lock(**hashes: str) -> Lock:
    entries = tuple(
        Locked(project=ProjectName(name), version="1.0", files=(LockedFile(sha256=sha256),))
        for name, sha256 in hashes.items()
    )
    own = Locked(project=ProjectName("own"), files=(LockedFile(sha256=sha("own")),), origin="path")
    return Lock(path="shop.lock", format="uv.lock", entries=(*entries, own), read=("shop.lock",))


async def test_what_locks_name(pointed: Pointed, tmp_path: Path) -> None:
    """Projects of which nothing is known are asked for, where either policy would let them be."""
    named = file("locked-1.0.tar.gz")
    fresh = file("fresh-1.0.tar.gz")
    pointed.pypi.says(found("pypi", named, file("locked-2.0.tar.gz")), project="locked")
    pointed.pypi.says(found("pypi", fresh), project="fresh")
    pointed.pypi.says(Absent(source=PYPI), project="gone")
    pointed.pypi.says(Unreachable(source=PYPI, reason="it is away"), project="away")
    shop = lock(
        locked=str(named.sha256), fresh=str(fresh.sha256), gone=sha("g"), away=sha("a"), never=sha("n")
    )
    made = await compared(
        pointed, tmp_path, '[allow]\npackages = ["fresh", "gone", "away", "locked>1"]\n', shop
    )
    assert [(one.filename, one.code, one.why) for one in made.blocked] == [
        ("locked-1.0.tar.gz", "allow-version", ("in shop.lock",))
    ]
    assert [(one.filename, one.code, one.why) for one in made.freed] == [
        ("fresh-1.0.tar.gz", "allow-unlisted", ("in shop.lock",))
    ]
    assert made.unknown == (
        "away: pypi might have it, but it is away",
        "gone: no source of this index has it",
        "never: neither policy lets it be asked for",
    )
    assert not {"own", "never"} & {project for project, *_ in pointed.pypi.asked}


async def test_a_locked_file_that_no_page_has(pointed: Pointed, tmp_path: Path) -> None:
    pointed.pypi.says(found("pypi", file("locked-1.0.tar.gz")), project="locked")
    made = await compared(pointed, tmp_path, "", lock(locked=sha("x")))
    (unknown,) = made.unknown
    assert unknown == f"locked 1.0 sha256:{sha('x')[:12]}…: in shop.lock, and on no page of this index"


async def test_for_whom(pointed: Pointed, tmp_path: Path) -> None:
    """What was served counts while it is in the days that are meant, also where its bytes are gone."""
    await stored(pointed, "1.0", "2.0", "2.5", kept=("1.0",))

    def fetch(version: str, who: str | None, days: float, index: str = "main") -> Fetch:
        return Fetch(
            at=datetime.now(UTC) - timedelta(days=days),
            index=index,
            source="pypi",
            project="demo",
            version=version,
            filename=f"demo-{version}.tar.gz",
            sha256=None,
            who=who,
            address="10.0.0.1",
            tool="pip/25.0",
        )

    pointed.store.fetches.append(
        [
            fetch("1.0", "old", 40),
            fetch("1.0", "else", 1, "other"),
            fetch("2.0", "ci", 2),
            fetch("2.0", None, 1),
        ]
    )
    made = await compared(pointed, tmp_path, '[deny]\npackages = ["demo"]\n')
    assert [(one.filename, one.why, one.whom) for one in made.blocked] == [
        ("demo-1.0.tar.gz", ("kept",), ()),
        ("demo-2.0.tar.gz", ("served",), ("from 10.0.0.1", "ci from 10.0.0.1")),
    ]
    made = await compared(pointed, tmp_path, '[deny]\npackages = ["demo"]\n', days=60)
    assert made.blocked[0].whom == ("old from 10.0.0.1",)
