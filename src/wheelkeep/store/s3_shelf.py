"""A place in a bucket as a shelf. The one user of obstore, which is imported when the first such place is opened.

The operator named the bucket and its endpoint, so requests go there and to nothing else, and the keys with them.
"""

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wheelkeep.core.buckets import Bucket
from wheelkeep.core.settings import S3Settings
from wheelkeep.store.shelf import Busy, Item, NotThere, Thing, Unavailable, read_small

_PART = 8 * 1024 * 1024
"""Bytes of one part of a large thing, of which three are on their way at once."""
_PIECE = 256 * 1024
_KINDS = {"html": "text/html; charset=utf-8", "txt": "text/plain; charset=utf-8"}
"""Of names by their ends: what a bucket says of a thing to whoever reads it, and pip reads no page of another kind."""
_SMALL_AT_ONCE = 16
"""Things in memory that are put side by side: one takes as long as the way there and back."""
_LOCK = "lock"
_KEY = "AWS_ACCESS_KEY_ID"
_BEAT = 60.0
"""Seconds after which the lock's owner says that it lives."""
_DEAD = timedelta(minutes=10)
"""After so long without a word the owner of a lock is taken for dead."""
_CODE = re.compile(r"<Code>(\w{1,60})</Code>", re.ASCII)
_STATUS = re.compile(r"status code: ([0-9]{3})", re.ASCII)


class _Owner(Struct, frozen=True):
    host: str
    process: int
    mark: str
    at: datetime


class S3Shelf:
    """The place; to be used in one event loop."""

    at_once = 4

    def __init__(self, bucket: Bucket, settings: S3Settings) -> None:
        """Raises Unavailable where nobody told the keys."""
        if settings.endpoint is not None and settings.access_key is None and _KEY not in os.environ:
            # The library would ask the cloud for the machine's own keys, and those are for nobody's endpoint.
            raise Unavailable(
                f"{bucket}: no keys are known for it: write access_key and secret_key into [s3], or set {_KEY} and "
                "AWS_SECRET_ACCESS_KEY"
            )
        import obstore  # noqa: PLC0415 - megabytes, for those who have a bucket
        from obstore.store import S3Store  # noqa: PLC0415

        self._obstore = obstore
        self._bucket = bucket
        told: dict[str, str] = {}
        if settings.endpoint is not None:
            told["endpoint"] = settings.endpoint
        if settings.region is not None:
            told["region"] = settings.region
        if settings.access_key is not None and settings.secret_key is not None:
            told["access_key_id"] = settings.access_key.reveal()
            told["secret_access_key"] = settings.secret_key.reveal()
        try:
            self._store = S3Store(
                bucket.name,
                prefix=bucket.prefix or None,
                virtual_hosted_style_request=False,
                client_options={
                    # ``check`` warned of it where it is not this machine.
                    "allow_http": True,
                    "connect_timeout": timedelta(seconds=5),
                    "read_timeout": timedelta(seconds=30),
                    "timeout": timedelta(days=1),
                },
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
                **told,  # type: ignore[arg-type]
            )
        except obstore.exceptions.BaseError as error:
            raise Unavailable(f"{bucket}: {_words(str(error))}") from None

    def __str__(self) -> str:
        return str(self._bucket)

    async def items(self, below: str = "") -> AsyncIterator[Item]:
        with self._told(below):
            async for page in self._store.list(below or None, chunk_size=1000):
                for one in page:
                    yield _item(one)

    async def put(self, name: str, content: bytes | Path) -> None:
        await self._put(Thing(name=name, content=content))

    async def put_all(self, things: Sequence[Thing]) -> None:
        small, large = asyncio.Semaphore(_SMALL_AT_ONCE), asyncio.Semaphore(self.at_once)

        async def one(thing: Thing) -> None:
            async with small if isinstance(thing.content, bytes) else large:
                await self._put(thing)

        tasks = [asyncio.create_task(one(thing)) for thing in things]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _put(self, thing: Thing) -> None:
        name, content = thing.name, thing.content
        if isinstance(content, Path) and not await asyncio.to_thread(content.exists):
            raise NotThere(f"there is no {content}")
        told = None
        if thing.serving is not None:
            told = {"Content-Type": thing.serving.content_type, "Cache-Control": thing.serving.cache_control}
        elif (kind := _KINDS.get(name.rpartition(".")[2])) is not None:
            told = {"Content-Type": kind}
        with self._told(name):
            await self._obstore.put_async(
                self._store,
                name,
                content,
                attributes=told,
                chunk_size=_PART,
                max_concurrency=3,
                mode="overwrite",
            )

    async def add(self, name: str, content: bytes) -> bool:
        try:
            with self._told(name):
                await self._obstore.put_async(self._store, name, content, mode="create", use_multipart=False)
        except _AlreadyThere:
            return False
        return True

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator["_ObjectReading"]:
        with self._told(name):
            found = await self._obstore.get_async(self._store, name)
        yield _ObjectReading(self, name, found)

    async def remove(self, name: str) -> None:
        with self._told(name), contextlib.suppress(NotThere):
            await self._obstore.delete_async(self._store, name)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        owner = _Owner(socket.gethostname(), os.getpid(), os.urandom(8).hex(), datetime.now(UTC))
        if not await self.add(_LOCK, msgspec.json.encode(owner)):
            await self._succeed()
            if not await self.add(_LOCK, msgspec.json.encode(owner)):
                raise Busy(f"another process writes to {self} now: wait until it is done")
        beating = asyncio.create_task(self._beat(owner))
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
            with contextlib.suppress(Unavailable):
                await self.remove(_LOCK)

    async def _succeed(self) -> None:
        """Removes the lock of an owner that is dead. Raises Busy where it lives, or nobody can know."""
        try:
            owner = msgspec.json.decode(await read_small(self, _LOCK, 10_000), type=_Owner)
        except NotThere:
            return
        except msgspec.DecodeError:
            raise Busy(f"{_LOCK} in {self} cannot be read: remove it if nobody writes there") from None
        silent = datetime.now(UTC) - owner.at
        if not (owner.host == socket.gethostname() and _dead(owner.process)) and silent < _DEAD:
            raise Busy(
                f"process {owner.process} of {owner.host} writes to {self}: wait until it is done; "
                f"if it died, until {_DEAD.seconds // 60} minutes after {owner.at:%H:%M} UTC"
            )
        await self.remove(_LOCK)

    async def _beat(self, owner: _Owner) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            with contextlib.suppress(Unavailable):
                await self.put(
                    _LOCK, msgspec.json.encode(msgspec.structs.replace(owner, at=datetime.now(UTC)))
                )

    async def close(self) -> None:
        """Nothing is held."""

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What the library raises, in the words of shelves."""
        errors = self._obstore.exceptions
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise Unavailable(f"{self}: there is no such bucket") from None
            raise NotThere(f"there is no {name} in {self}") from None
        except errors.AlreadyExistsError:
            raise _AlreadyThere from None
        except (errors.BaseError, OSError) as error:
            raise Unavailable(f"{self}: {_words(str(error))}") from None


class _ObjectReading:
    def __init__(self, shelf: S3Shelf, name: str, found: Any) -> None:
        self._shelf = shelf
        self._name = name
        self._found = found
        self.item = _item(found.meta)

    async def pieces(self) -> AsyncIterator[bytes]:
        with self._shelf._told(self._name):
            async for piece in self._found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)


def _item(told: Any) -> Item:
    # A listing tells milliseconds and an answer seconds, and some quote the tag in one of them only.
    tag = (told["e_tag"] or "").strip('"')
    return Item(
        name=told["path"],
        size=told["size"],
        stamp=f"{told['size']}:{int(told['last_modified'].timestamp())}:{tag}",
        modified=told["last_modified"],
    )


class _AlreadyThere(Exception):
    pass


def _dead(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _words(text: str) -> str:
    """What the store answered, in short: its own text holds addresses, and the whole of an XML document."""
    code, status = _CODE.search(text), _STATUS.search(text)
    if code is not None and code[1] == "NoSuchBucket":
        return "there is no such bucket"
    if status is not None:
        return f"the store answered {status[1]}{f' ({code[1]})' if code is not None else ''}"
    if "invalid path" in text:
        return 'it holds a key that has no meaning as a path, with "//", "/./" or "/../" in it'
    if "error sending request" in text or "timed out" in text:
        return "the store does not answer"
    return text.splitlines()[0][:200] if text else "the store does not answer"
