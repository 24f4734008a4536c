"""Sessions below the web face: what time, crashes and races leave of one."""

import asyncio
import errno
import hashlib
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from fakes import attesters
from fakes.dists import sdist, wheel
from fakes.stores import Store
from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.sessions import NewFile, NewSession
from wheelkeep.index.receive import Receiver, Refused
from wheelkeep.index.sessions import Clash, Stager
from wheelkeep.sources.verifier import Verifier
from wheelkeep.store import session_room
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.changes import Changes
from wheelkeep.store.sessions import Session, Sessions, Staged
from wheelkeep.store.staged import StagedBytes
from wheelkeep.store.tables import hosted_owners, upload_session_files, upload_sessions
from wheelkeep.store.uploads import PROVENANCE

MAIN, ACME, LIB = IndexName("main"), SourceName("acme"), ProjectName("lib")
RELEASE = NewSession(LIB, "1.0")


class Staging:
    """A stager over a store; another on the same store is another process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changed: list[str] = []
        self.receiver = Receiver(
            blobs=store.blobs,
            soundness=store.soundness,
            uploads=store.uploads,
            reservations=Reservations([]),
            selections={ACME: Selection(None, [])},
            verifier=Verifier([attesters.authority().root(store.data / "trusted_root.json")]),
            changed=self.changed.append,
        )
        self.bytes = StagedBytes(store.data)
        self.stager = Stager(
            sessions=Sessions(store.database, store.ledger, Changes(store.data)),
            staged=self.bytes,
            blobs=store.blobs,
            uploads=store.uploads,
            receiver=self.receiver,
            changed=self.changed.append,
        )

    async def open(self) -> Session:
        made = await self.stager.create(MAIN, ACME, RELEASE, by="ci")
        assert isinstance(made, Session), made
        return made

    async def now(self, session: Session) -> Session:
        found = await self.stager.find(session.id)
        assert found is not None
        return found

    async def send(self, session: Session, filename: str, content: bytes) -> Staged:
        hashes = {"sha256": hashlib.sha256(content).hexdigest()}
        made = await self.stager.add_file(session, NewFile(filename, len(content), hashes, "http-post-bytes"))
        assert isinstance(made, Staged), made
        incoming = self.stager.incoming(session, made)
        try:
            await incoming.push(content)
            assert await self.stager.take(session, made, incoming) is None
        finally:
            await incoming.close()
        sent = (await self.now(session)).file(made.id)
        assert sent is not None
        return sent

    async def add(self, session: Session, filename: str, content: bytes) -> Session:
        staged = await self.send(session, filename, content)
        assert await self.stager.complete(session, staged) is None
        return await self.now(session)

    async def ready(self) -> Session:
        """A session with a wheel and an sdist."""
        session = await self.open()
        await self.add(session, *wheel("lib", "1.0"))
        return await self.add(session, *sdist("lib", "1.0"))

    async def published(self) -> list[File]:
        return await self.store.facts.hosted(ACME, LIB) or []

    def lying(self) -> list[Path]:
        """Every file that staging keeps or kept anywhere."""
        folders = [self.store.data / "staged", self.store.data / "blobs", self.store.data / "tmp"]
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    async def lapse(self, session: Session) -> None:
        async with self.store.database.write() as connection:
            await connection.execute(
                update(upload_sessions).where(upload_sessions.c.id == session.id).values(expires=1.0)
            )


@pytest_asyncio.fixture
async def staging(store: Store) -> AsyncIterator[Staging]:
    made = Staging(store)
    yield made
    made.receiver.close()


async def test_all_at_one_moment_and_on_the_record(staging: Staging) -> None:
    session = await staging.ready()
    assert await staging.published() == [] and staging.changed == []
    assert not list(staging.store.blobs.all())
    assert await staging.stager.publish(session, by="releaser") is None
    wheel_, sdist_ = sorted(await staging.published(), key=lambda file: file.kind, reverse=True)
    assert (wheel_.kind, sdist_.kind) == ("wheel", "sdist")
    assert wheel_.first_seen == sdist_.first_seen and wheel_.upload_time == sdist_.upload_time
    assert staging.changed == [LIB]
    entries = await staging.store.ledger.last("published")
    assert {entry.filename for entry in entries} == {wheel_.filename, sdist_.filename}
    for entry in entries:
        assert entry.detail["session"] == session.id and entry.detail["by"] == "releaser"
        assert staging.store.blobs.check(entry.detail["sha256"])
    known = await staging.store.facts.metadata(ACME, wheel_.filename)
    assert known is not None and known.sha256 == wheel_.metadata
    assert {path.name for path in staging.lying()} == {wheel_.sha256, sdist_.sha256}


async def test_time_ends_a_session_and_leaves_nothing(staging: Staging) -> None:
    session = await staging.ready()
    await staging.lapse(session)
    assert await staging.stager.staged(session.token) is None
    await staging.stager.clear_up()
    ended = await staging.now(session)
    assert (ended.state, ended.live) == ("canceled", ())
    assert ended.notice == "the session was not published before its time was over"
    assert staging.lying() == []
    assert isinstance(await staging.stager.publish(session, by="ci"), Clash)
    assert await staging.published() == []
    await staging.open()


async def test_a_session_whose_time_is_over_makes_room_at_once(staging: Staging) -> None:
    old = await staging.ready()
    assert isinstance(await staging.stager.create(MAIN, ACME, RELEASE, by="ci"), Clash)
    await staging.lapse(old)
    new = await staging.open()
    assert new.id != old.id and new.token != old.token
    assert staging.lying() == []


async def test_nobody_has_more_under_way_than_there_is_room_for(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_room, "MOST_OPEN", 2)
    monkeypatch.setattr(session_room, "MOST_STAGED", 100)

    async def opened(version: str, by: str = "ci") -> Session | Clash | Refused:
        return await staging.stager.create(MAIN, ACME, NewSession(LIB, version), by=by)

    async def announced(session: Session, filename: str, size: int) -> Staged | Clash:
        return await staging.stager.add_file(
            session, NewFile(filename, size, {"sha256": "0" * 64}, "http-post-bytes")
        )

    first, second = await opened("1.0"), await opened("2.0")
    assert isinstance(first, Session) and isinstance(second, Session)
    full = await opened("3.0")
    assert isinstance(full, Clash)
    assert full.problems[0][1].endswith("as many as one token may: publish or cancel an open one first")
    assert isinstance(await opened("3.0", by="dev"), Session)
    kept = await announced(first, "lib-1.0.tar.gz", 60)
    assert isinstance(kept, Staged)
    over = await announced(second, "lib-2.0.tar.gz", 41)
    assert isinstance(over, Clash)
    assert "41 bytes more would make 101 in the open sessions of ci in acme" in over.problems[0][1]
    assert isinstance(await announced(second, "lib-2.0.tar.gz", 40), Staged)
    await staging.stager.delete_file(first, kept)
    assert isinstance(await announced(second, "lib-2.0-py3-none-any.whl", 60), Staged)
    await staging.stager.cancel(first)
    assert isinstance(await opened("4.0"), Session)


async def test_old_sessions_are_forgotten_whole(staging: Staging) -> None:
    session = await staging.ready()
    assert await staging.stager.cancel(session) is None
    await staging.stager.clear_up()
    assert (await staging.now(session)).state == "canceled"
    long_ago = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    async with staging.store.database.write() as connection:
        await connection.execute(update(upload_sessions).values(ended=long_ago))
    await staging.stager.clear_up()
    assert await staging.stager.find(session.id) is None
    async with staging.store.database.read() as connection:
        assert (
            await connection.execute(select(func.count()).select_from(upload_session_files))
        ).scalar() == 0


async def test_a_crash_between_bytes_and_row(staging: Staging) -> None:
    """Bytes without a row are cleared away after a while, those with one stay."""
    session = await staging.ready()
    lost = staging.bytes.new(session.id)
    lost.write_bytes(b"lost")
    await staging.stager.clear_up()
    assert lost.exists()
    os.utime(lost, (1, 1))
    for path in staging.lying():
        os.utime(path, (1, 1))
    await staging.stager.clear_up()
    assert not lost.exists() and len(staging.lying()) == 2
    (staging.store.data / "staged" / "unknown").mkdir()
    await staging.stager.clear_up()
    assert staging.bytes.sessions() == [session.id]
    assert await staging.stager.publish(session, by="ci") is None


async def test_a_crash_in_the_middle_of_publishing(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are in the store, the rows are not: nothing is published, and all of it can be once more."""
    session = await staging.ready()

    async def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sessions, "publish", killed)
    with pytest.raises(KeyboardInterrupt):
        await staging.stager.publish(session, by="ci")
    monkeypatch.undo()
    assert await staging.published() == []
    assert (await staging.now(session)).state == "open"
    assert await staging.stager.publish(await staging.now(session), by="ci") is None
    assert len(await staging.published()) == 2
    assert [path for path in staging.lying() if path.suffix] == []


async def test_damage_is_not_published(staging: Staging) -> None:
    session = await staging.ready()
    damaged = session.live[0]
    path = await staging.stager.path_of(session, damaged)
    assert path is not None
    path.chmod(0o600)
    path.write_bytes(b"x" * damaged.size)
    outcome = await staging.stager.publish(session, by="ci")
    assert isinstance(outcome, Clash) and outcome.problems[0][0] == damaged.filename
    assert "damaged: delete it and upload it again" in outcome.problems[0][1]
    assert await staging.published() == []
    assert await staging.stager.delete_file(session, damaged) is None
    assert await staging.stager.publish(await staging.now(session), by="ci") is None


async def test_what_changes_while_it_is_published(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that comes between the look and the rows is published too, or stands in the way; never half of it."""
    session = await staging.open()
    await staging.add(session, *wheel("lib", "1.0"))
    adopt, late = Blobs.adopt, sdist("lib", "1.0")
    loop = asyncio.get_running_loop()
    once: list[bool] = []

    def slow(blobs: Blobs, path: Path, sha256: str) -> None:
        if not once:
            once.append(True)
            asyncio.run_coroutine_threadsafe(staging.add(session, *late), loop).result(30)
        adopt(blobs, path, sha256)

    monkeypatch.setattr(Blobs, "adopt", slow)
    assert await staging.stager.publish(await staging.now(session), by="ci") is None
    assert len(await staging.published()) == 2


async def test_two_who_end_it_at_once(staging: Staging) -> None:
    """One of publishing and canceling wins, and the other is told so."""
    other = Staging(staging.store)
    for _ in range(4):
        session = await staging.ready()
        published, canceled = await asyncio.gather(
            staging.stager.publish(session, by="ci"), other.stager.cancel(session)
        )
        assert (published is None) != (canceled is None)
        state = (await staging.now(session)).state
        assert state == ("published" if published is None else "canceled")
        assert len(await staging.published()) == (2 if published is None else 0)
        assert not [path for path in staging.lying() if "staged" in path.parts]
        if published is None:
            break
    other.receiver.close()


async def test_bytes_that_cannot_be_removed_at_once(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another removes them at the same moment, or a file is still being put there: what was asked for is done, and
    what stays is swept up."""
    session = await staging.ready()

    def raced(*_: object) -> None:
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    with monkeypatch.context() as patch:
        patch.setattr(staging.bytes, "remove_all", raced)
        assert await staging.stager.cancel(session) is None
        assert (await staging.now(session)).state == "canceled"
        assert staging.lying()
        await staging.stager.clear_up()
    await staging.stager.clear_up()
    assert not staging.lying()


async def test_what_comes_for_a_file_that_is_gone(staging: Staging) -> None:
    """Bytes, and a completion, that were on their way when the file or its session ended."""
    session = await staging.open()
    filename, content = wheel("lib", "1.0")
    staged = await staging.send(session, filename, content)
    incoming = staging.stager.incoming(session, staged)
    await incoming.push(content)
    assert await staging.stager.delete_file(session, staged) is None
    assert isinstance(await staging.stager.take(session, staged, incoming), Clash)
    await incoming.close()
    assert isinstance(await staging.stager.complete(session, staged), Clash)
    assert staging.lying() == []
    again = await staging.send(session, filename, content)
    incoming = staging.stager.incoming(session, again)
    await incoming.push(content)
    assert await staging.stager.cancel(session) is None
    assert isinstance(await staging.stager.take(session, again, incoming), Clash)
    await incoming.close()
    assert isinstance(await staging.stager.complete(session, again), Clash)
    assert staging.lying() == []


async def test_completion_is_of_the_bytes_that_were_looked_at(staging: Staging) -> None:
    session = await staging.open()
    staged = await staging.send(session, *wheel("lib", "1.0"))
    incoming = staging.stager.incoming(session, staged)
    await incoming.push(wheel("lib", "1.0")[1])
    assert await staging.stager.take(session, staged, incoming) is None
    await incoming.close()
    assert isinstance(await staging.stager.complete(session, staged), Clash)
    now = (await staging.now(session)).file(staged.id)
    assert now is not None and now.state == "pending" and len(staging.lying()) == 1
    assert await staging.stager.complete(session, now) is None
    done = (await staging.now(session)).file(staged.id)
    assert done is not None and await staging.stager.complete(session, done) is None


async def test_a_file_in_which_something_is_wrong(staging: Staging) -> None:
    session = await staging.open()
    filename, content = wheel("lib", "1.0", requires_python="three")
    staged = await staging.send(session, filename, content)
    outcome = await staging.stager.complete(session, staged)
    assert isinstance(outcome, Refused) and "is no version specifier" in outcome.problems[0]
    (now,) = (await staging.now(session)).live
    assert now.state == "error" and now.notice is not None
    assert isinstance(await staging.stager.publish(await staging.now(session), by="ci"), Clash)


async def test_who_signed_is_on_the_record(staging: Staging) -> None:
    session = await staging.open()
    filename, content = wheel("lib", "1.0")
    staged = await staging.send(session, filename, content)
    given = [attesters.authority().attestation(filename, hashlib.sha256(content).hexdigest())]
    assert await staging.stager.attest(session, staged, json.dumps(given)) is None
    assert await staging.stager.complete(session, staged) is None
    assert await staging.store.facts.document(ACME, PROVENANCE, filename) is None
    assert await staging.stager.publish(await staging.now(session), by="ci") is None
    (entry,) = await staging.store.ledger.last("published")
    assert entry.detail["attested"] == "GitHub acme/demo"
    assert await staging.store.facts.document(ACME, PROVENANCE, filename) is not None


async def test_owners_are_asked_for_at_every_step(staging: Staging) -> None:
    """Also those who were named while the session was open; in the transaction itself, too."""
    session = await staging.ready()
    async with staging.store.database.write() as connection:
        await connection.execute(hosted_owners.insert().values(source=ACME, project=LIB, name="other"))
    assert await staging.stager.not_owned(session, "other", admin=False) is None
    assert await staging.stager.not_owned(session, "ci", admin=True) is None
    refused = await staging.stager.not_owned(session, "ci", admin=False)
    assert refused is not None and refused.why == "owned"
    outcome = await staging.stager.publish(session, by="ci")
    assert isinstance(outcome, Refused) and outcome.problems[0].startswith("lib is owned by other")
    assert await staging.published() == [] and (await staging.now(session)).state == "open"
    again = await staging.stager.create(MAIN, ACME, NewSession(LIB, "2.0"), by="ci")
    assert isinstance(again, Refused)
    assert await staging.stager.publish(session, by="root", admin=True) is None
