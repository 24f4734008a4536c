"""Another keep's transparency log, read from outside: its checkpoint, its key, its tiles."""

import asyncio
from collections.abc import Sequence

from wheelkeep.core import tiles
from wheelkeep.core.errors import Unanswered, WheelkeepError
from wheelkeep.core.settings import Secret
from wheelkeep.core.tiles import Tile
from wheelkeep.sources.client import Client

_AT_ONCE = 8
_DEADLINE = 30.0


class Refused(WheelkeepError):
    """The log answers, but not to this caller."""


class Lacking(Unanswered):
    """The log answers, and what its checkpoint promises is not there, or not whole."""


class LogReader:
    """Used in one event loop, to be closed. Raises ValueError for an address that is none."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        """``url``: the keep's own address, or its log's."""
        base = url.rstrip("/")
        self.url = base if base.endswith("/log") else f"{base}/log"
        secret = Secret(token) if token is not None else None
        self._client = Client(
            url=f"{self.url}/", username="__token__" if secret is not None else None, password=secret
        )

    async def close(self) -> None:
        await self._client.close()

    async def text(self, name: str) -> str:
        """A text of the log, such as ``checkpoint`` or ``key``. Raises Unanswered."""
        body = await self._get(name)
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            raise Unanswered(f"{self.url}/{name} is no text") from None

    async def tiles(self, wanted: Sequence[Tile]) -> list[bytes]:
        """The bytes of tiles, in the order in which they were asked for. Raises Unanswered, Lacking, Refused."""
        found: list[bytes] = []
        for at in range(0, len(wanted), _AT_ONCE):
            found += await asyncio.gather(*(self._tile(tile) for tile in wanted[at : at + _AT_ONCE]))
        return found

    async def hashes(self, wanted: Sequence[Tile]) -> list[list[bytes]]:
        """The hashes in tiles. Raises Unanswered, Lacking, Refused."""
        found = []
        for tile, body in zip(wanted, await self.tiles(wanted), strict=True):
            try:
                hashes = tiles.split(body)
            except ValueError as error:
                raise Lacking(f"{self.url}/tile/{tile.path}: {error}") from None
            if len(hashes) != tile.width:
                raise Lacking(f"{self.url}/tile/{tile.path} has {len(hashes)} hashes")
            found.append(hashes)
        return found

    async def deliver(self, note: str) -> int:
        """Brings a cosigned checkpoint to its log; gives the status of the answer. Raises Unanswered."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        url = f"{self.url}/cosignatures"
        return (await self._client.post(url, note.encode(), headers=headers, deadline=_DEADLINE))[0]

    async def _tile(self, tile: Tile) -> bytes:
        return await self._get(f"tile/{tile.path}")

    async def _get(self, name: str) -> bytes:
        reply = await self._client.get(f"{self.url}/{name}", deadline=_DEADLINE)
        if reply.status in (401, 403):
            raise Refused(f"{self.url}/{name}: HTTP {reply.status}")
        if reply.status == 404:
            raise Lacking(f"{self.url}/{name} is not there")
        if reply.status != 200:
            raise Unanswered(f"{self.url}/{name}: HTTP {reply.status}")
        return reply.body
