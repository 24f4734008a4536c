"""Publishing sessions (PEP 694): a release is staged file by file, and published whole or not at all.

What an upload must be is asked of the receiver, as for every other upload. Which answer a client gets lives in web.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core import names
from wheelkeep.core.asker import Asker
from wheelkeep.core.errors import NoRoom
from wheelkeep.core.model import File, Status
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.sessions import NewFile, NewSession, SessionState, extended, file_after, until
from wheelkeep.core.upload_rules import Claim
from wheelkeep.index.receive import (
    Came,
    Examined,
    Incoming,
    Receiver,
    Refused,
    closed_to,
    owned,
    published,
    used,
)
from wheelkeep.logs import get_logger
from wheelkeep.store.blobs import Blobs, Mismatch
from wheelkeep.store.ledger import Entry
from wheelkeep.store.sessions import Beside, Ended, Occupied, Session, Sessions, Shifted, Staged
from wheelkeep.store.staged import StagedBytes
from wheelkeep.store.uploads import Owned, Uploads

log = get_logger(__name__)

_EVERY = 60.0
"""Seconds between two looks for sessions whose time is over."""
_TRIES = 5
_EXPIRED = "the session was not published before its time was over"


class Clash(Struct, frozen=True):
    """It cannot be done as things stand; the problems are sentences, each with the name that it is about."""

    problems: tuple[tuple[str, str], ...]
    session: Session | None = None
    """The one that is in the way, if that is it."""


class Stager:
    """Looks after the publishing sessions of every hosted source."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        staged: StagedBytes,
        blobs: Blobs,
        uploads: Uploads,
        receiver: Receiver,
        changed: Callable[[ProjectName], None],
    ) -> None:
        """``changed`` is told of every project of which a page shows something else."""
        self._sessions = sessions
        self._staged = staged
        self._blobs = blobs
        self._uploads = uploads
        self._receiver = receiver
        self._changed = changed

    async def create(
        self, index: IndexName, source: SourceName, new: NewSession, *, by: str, admin: bool = False
    ) -> Session | Clash | Refused:
        """Opens a session for a release. ``by``: the token's name, which must be among the project's owners where it
        has some; ``admin``: or may do everything."""
        refused = await self._receiver.not_theirs(source, new.project, by, admin=admin)
        if refused is not None:
            return refused
        now = datetime.now(UTC)
        session = Session(
            id=secrets.token_hex(12),
            token=f"wks_{secrets.token_urlsafe(32)}",
            index=index,
            source=source,
            project=new.project,
            version=new.version,
            creator=by,
            state="open",
            created=now,
            expires=until(now),
        )
        try:
            while (before := await self._sessions.create(session)) is not None:
                if before.expires > now:
                    says = f"a session for {new.project} {new.version} is open already"
                    return Clash((("session", says),), before)
                await self._discard(before.id, _EXPIRED)
        except NoRoom as error:
            return Clash((("session", str(error)),))
        return session

    async def not_owned(self, session: Session, by: str, *, admin: bool) -> Refused | None:
        """The session's project has owners, and who asks is none of them."""
        return await self._receiver.not_owned(session.source, session.project, by, admin=admin)

    async def find(self, key: str) -> Session | None:
        """A session as it is now; one whose time is over is canceled by that."""
        session = await self._sessions.find(key)
        if session is not None and session.state == "open" and session.expires <= datetime.now(UTC):
            await self._discard(key, _EXPIRED)
            session = await self._sessions.find(key)
        return session

    async def staged(self, token: str) -> Session | None:
        """The open session of which the token is the secret."""
        session = await self._sessions.by_token(token)
        if session is None or session.state != "open" or session.expires <= datetime.now(UTC):
            return None
        return session

    async def path_of(self, session: Session, staged: Staged) -> Path | None:
        """Where the bytes of a completed file lie; None: they are damaged, or gone. Raises OSError."""
        assert staged.bytes is not None and staged.sha256 is not None
        of = (session.id, staged.bytes)
        if self._staged.trusted(*of) or await asyncio.to_thread(self._staged.check, *of, staged.sha256):
            return self._staged.path(*of)
        return None

    async def beside(self, staged: Staged) -> Beside:
        """What is kept beside a completed file."""
        return await self._sessions.beside(staged.id)

    async def extend(self, session: Session, seconds: int) -> None:
        """Gives an open session more time, as far as it gets any."""
        await self._sessions.extend(session.id, extended(session.created, session.expires, seconds))

    async def cancel(self, session: Session) -> Clash | None:
        """Ends a session unpublished; nothing of it is left but that it was."""
        ended = await self._discard(session.id, None)
        return _over(ended.state) if ended is not None else None

    async def _discard(self, key: str, notice: str | None) -> Ended | None:
        ended = await self._sessions.cancel(key, datetime.now(UTC), notice)
        if ended is None:
            await self._sweep(key)
        return ended

    async def _sweep(self, key: str) -> None:
        """Removes the bytes of a session that has ended. What stays, for another does so at the same moment or still
        puts some there, goes with the next look for leftovers."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._staged.remove_all, key)

    async def add_file(self, session: Session, new: NewFile) -> Staged | Clash:
        """Makes room for a file that is announced."""
        taken = await self._uploads.find(session.source, session.project, new.filename)
        if taken is not None:
            return Clash(((new.filename, used(taken).problems[0]),))
        key = secrets.token_hex(8)
        try:
            outcome = await self._sessions.add_file(session, key, new)
        except NoRoom as error:
            return Clash(((new.filename, str(error)),))
        if isinstance(outcome, Ended):
            return _over(outcome.state)
        if isinstance(outcome, Occupied):
            return Clash(((outcome.filename, _in_the_way(outcome)),))
        for name in outcome:
            await asyncio.to_thread(self._staged.remove, session.id, name)
        return Staged(id=key, filename=new.filename, size=new.size, hashes=new.hashes, state="pending")

    def incoming(self, session: Session, staged: Staged) -> Incoming:
        """Room for a file's bytes. Raises OSError where the disk has none."""
        return self._receiver.incoming(_claim(session, staged, None, staged.hashes))

    async def take(self, session: Session, staged: Staged, incoming: Incoming) -> Refused | Clash | None:
        """All bytes came: they are staged if they are those that were announced. Raises OSError."""
        await incoming.all()
        filling, digests = incoming.filling, incoming.digests
        wrong = [
            f"the {name} is {digests[name]}, and {value} was announced: send the file again"
            for name, value in staged.hashes.items()
            if digests[name] != value
        ]
        if filling.size != staged.size:
            wrong.insert(
                0, f"{filling.size} bytes came, and {staged.size} were announced: send the file again"
            )
        if wrong:
            return Refused("wrong", tuple(wrong))
        await asyncio.to_thread(self._staged.make)
        target = self._staged.new(session.id)
        await filling.set_down(target)
        values = {"bytes": target.name, "sha256": filling.sha256}
        outcome = await self._sessions.send(session.id, staged.id, values)
        if isinstance(outcome, Ended):
            await self._sweep(session.id)
            return _over(outcome.state)
        gone = target.name if isinstance(outcome, Shifted) else outcome
        if gone is not None:
            await asyncio.to_thread(self._staged.remove, session.id, gone)
        return _not_pending(staged) if isinstance(outcome, Shifted) else None

    async def attest(self, session: Session, staged: Staged, text: str) -> Clash | None:
        """Notes a file's attestations, to be read when it is completed."""
        outcome = await self._sessions.send(session.id, staged.id, {"attestations": text})
        if isinstance(outcome, Ended):
            return _over(outcome.state)
        return _not_pending(staged) if isinstance(outcome, Shifted) else None

    async def complete(self, session: Session, staged: Staged) -> Refused | Clash | None:
        """Makes a file part of what will be published, if nothing is wrong with it. Raises OSError."""
        if staged.state == "completed":
            return None
        if file_after(staged.state, "complete") is None:
            return _not_pending(staged)
        if staged.bytes is None or staged.sha256 is None:
            examined: Examined | Refused = Refused("wrong", ("none of its bytes came: send them first",))
        else:
            path = self._staged.path(session.id, staged.bytes)
            claim = _claim(session, staged, await self._sessions.attestations(staged.id), {})
            try:
                examined = await self._receiver.examine(
                    session.source, claim, Came(path, staged.sha256, staged.size, {})
                )
            except FileNotFoundError:
                return _not_pending(staged)  # deleted meanwhile
        if isinstance(examined, Refused):
            notice = "\n".join(examined.problems)
            outcome = await self._sessions.fail(session.id, staged, notice)
        else:
            proof, known = examined.proof, examined.known
            beside = Beside(
                known.body if known is not None else None, proof.document if proof is not None else None
            )
            attested = proof.by if proof is not None else None
            outcome = await self._sessions.complete(session.id, staged, examined.file, beside, attested)
        if isinstance(outcome, Ended):
            return _over(outcome.state)
        if isinstance(outcome, Shifted):
            return _not_pending(staged)
        return examined if isinstance(examined, Refused) else None

    async def delete_file(self, session: Session, staged: Staged) -> Clash | None:
        """Takes a file out of an open session."""
        outcome = await self._sessions.delete_file(session.id, staged.id)
        if isinstance(outcome, Ended):
            return _over(outcome.state)
        if staged.bytes is not None:
            await asyncio.to_thread(self._staged.remove, session.id, staged.bytes)
        return None

    async def publish(
        self, session: Session, *, by: str, admin: bool = False, asker: Asker | None = None
    ) -> Refused | Clash | None:
        """Makes every file of the session its source's at one moment, or none. Raises OSError."""
        origin = asker.origin if asker is not None else {}
        for _ in range(_TRIES):
            outcome = await self._publish(session, by, origin, admin=admin)
            if not isinstance(outcome, Shifted):
                return outcome
            found = await self.find(session.id)
            if found is None or found.state != "open":
                return _over(found.state if found is not None else None)
            session = found
        return Clash(
            (("session", "its files are being changed, or are gone: see how it stands, and publish again"),)
        )

    async def _publish(
        self, session: Session, by: str, origin: dict[str, str], *, admin: bool
    ) -> Refused | Clash | Shifted | None:
        unready = [file for file in session.live if file.state != "completed" or file.file is None]
        if unready:
            return Clash(
                tuple((file.filename, f"{file.filename} is {file.state}, not completed") for file in unready)
            )
        now = datetime.now(UTC)
        publishing = [_as_published(file.file, now) for file in session.live if file.file is not None]
        if (refused := await self._no_room(session, publishing)) is not None:
            return refused
        for staged in session.live:
            assert staged.bytes is not None and staged.sha256 is not None
            path = self._staged.path(session.id, staged.bytes)
            try:
                await asyncio.to_thread(self._blobs.adopt, path, staged.sha256)
            except FileNotFoundError:
                return Shifted()
            except Mismatch:
                says = f"the bytes of {staged.filename} are damaged: delete it and upload it again"
                return Clash(((staged.filename, says),))
        entries = _entries(session, publishing, by, origin, now)
        outcome = await self._sessions.publish(session, publishing, entries, now, by=None if admin else by)
        if isinstance(outcome, Ended):
            return _over(outcome.state)
        if isinstance(outcome, Shifted):
            return outcome
        if isinstance(outcome, Status):
            return closed_to(session.project, outcome)
        if isinstance(outcome, Owned):
            return owned(session.project, outcome.owners, by)
        if outcome:
            return Clash(tuple((taken.filename, used(taken).problems[0]) for taken in outcome))
        self._changed(session.project)
        log.info(
            "session_published", source=session.source, project=session.project, session=session.id, by=by
        )
        await self._sweep(session.id)
        return None

    async def _no_room(self, session: Session, publishing: list[File]) -> Refused | Clash | None:
        """What can be told before any byte is moved; names are held against each other once more when rows are made."""
        if (refused := await self._receiver.no_room(session.source, session.project)) is not None:
            return refused
        taken = []
        for file in publishing:
            if (refused := self._receiver.not_offered(file)) is not None:
                return refused
            found = await self._uploads.find(session.source, session.project, file.filename)
            if found is not None:
                taken.append((file.filename, used(found).problems[0]))
        return Clash(tuple(taken)) if taken else None

    async def tend(self) -> None:
        """Cancels what ran out of time and clears up, for ever; every worker may do it."""
        while True:
            try:
                await self.clear_up()
            except Exception as error:
                log.warning("sessions_not_cleared_up", why=type(error).__name__)
            await asyncio.sleep(_EVERY)

    async def clear_up(self) -> None:
        """Cancels sessions whose time is over, removes staged bytes that nobody needs, and forgets old sessions."""
        now = datetime.now(UTC)
        for key in await self._sessions.lapsed(now):
            await self._discard(key, _EXPIRED)
        for key in await asyncio.to_thread(self._staged.sessions):
            known = await self._sessions.bytes_of(key)
            if known is None:
                await self._sweep(key)
            else:
                with contextlib.suppress(FileNotFoundError):  # it ended meanwhile
                    await asyncio.to_thread(self._staged.clear, key, known)
        await self._sessions.forget(now)


def _claim(session: Session, staged: Staged, attestations: str | None, digests: dict[str, str]) -> Claim:
    """What a form would say of the file."""
    return Claim(
        project=session.project,
        version=session.version,
        kind=names.filename(staged.filename, session.project).kind,
        filename=staged.filename,
        digests=digests,
        attestations=attestations,
        problems=(),
    )


def _as_published(file: File, now: datetime) -> File:
    """The file from the moment on at which it is everybody's."""
    return replace(file, upload_time=f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", first_seen=now)


def _entries(
    session: Session, publishing: list[File], by: str, origin: dict[str, str], now: datetime
) -> list[Entry]:
    if publishing:
        return [
            published(file, by=by, attested=staged.attested, session=session.id, **origin)
            for staged, file in zip(session.live, publishing, strict=True)
        ]
    detail = {"by": by, "session": session.id, **origin}
    return [Entry(kind="registered", at=now, source=session.source, project=session.project, detail=detail)]


def _over(state: SessionState | None) -> Clash:
    return Clash((("session", f"the session is {state or 'gone'}, and takes no changes any more"),))


def _not_pending(staged: Staged) -> Clash:
    says = f"{staged.filename} is no longer pending: delete it, and announce the file anew"
    return Clash(((staged.filename, says),))


def _in_the_way(occupied: Occupied) -> str:
    if occupied.state is None:
        return "this session has had as many files as any gets"
    return f"{occupied.filename} is in this session already, {occupied.state}: delete it first"
