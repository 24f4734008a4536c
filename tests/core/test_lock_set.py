"""Several locks together."""

from fakes.made import DEMO, sha
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.lock_set import NO_LOCKS, LockSet
from wheelkeep.core.names import ProjectName


def lock(*entries: Locked) -> Lock:
    return Lock(path="x", format="uv.lock", entries=entries, read=("x",))


def entry(version: str | None, *hashes: str | None, name: str | None = "demo") -> Locked:
    project = ProjectName(name) if name is not None else None
    return Locked(project=project, version=version, files=tuple(LockedFile(sha256=each) for each in hashes))


def test_the_first_lock_that_has_a_file_is_named() -> None:
    locks = LockSet(
        [
            ("one", lock(entry("1.0", sha("a"), None))),
            ("two", lock(entry("1.0", sha("a"), sha("b")), entry("2.0", sha("c")))),
        ]
    )
    assert [locks.find(DEMO, each) for each in (sha("a"), sha("b"), sha("d"), None, "")] == [
        0,
        1,
        None,
        None,
        None,
    ]
    assert locks.find(ProjectName("other"), sha("a")) is None
    assert (len(locks), locks.names) == (3, ("one", "two"))
    assert locks.described(DEMO) == "1.0 in one, 1.0, 2.0 in two"


def test_what_locks_cannot_tell() -> None:
    locks = LockSet(
        [("one", lock(entry("1.0", None), entry(None, sha("a"), name=None), entry(None, sha("b"), name="b")))]
    )
    assert not locks.knows(DEMO)
    assert locks.unusable(DEMO) == "one has it without a sha256"
    assert locks.described(ProjectName("b")) == "some files in one"
    assert (locks.unusable(ProjectName("c")), locks.described(ProjectName("c")), len(NO_LOCKS)) == ("", "", 0)
