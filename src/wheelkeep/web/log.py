"""``/log/``: the transparency log as c2sp.org/tlog-tiles has it. Its entries are for those who may read every index.
All else is for everybody: hashes of entries that hold random bytes tell nothing of them.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial

from wheelkeep.core.access import Admin, Read, Want
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.notes import Note
from wheelkeep.core.tiles import Tile, read_tile
from wheelkeep.index.keep import Keep
from wheelkeep.index.witness import Unwitnessed, take
from wheelkeep.logs import get_logger
from wheelkeep.web import problem
from wheelkeep.web.auth import Auth
from wheelkeep.web.body import Body, BodyBrokenOffError, BodyTooLargeError
from wheelkeep.web.respond import SAFE, Request, Response, private

log = get_logger(__name__)
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_BYTES = (b"content-type", b"application/octet-stream")
_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_FRESH = (b"cache-control", b"no-cache")
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LARGEST = 64 * 1024


class Log:
    def __init__(self, keep: Keep, auth: Auth) -> None:
        self._log = keep.log
        self._auth = auth
        self._witnesses = keep.settings.witnesses
        shown = {
            source for index in keep.settings.indexes.values() for group in index.sources for source in group
        }
        self._wants: list[Want] = [Read(index.name) for index in keep.indexes.values() if index.closed]
        if not shown.issuperset(keep.settings.sources):
            # What no index shows, such as files that wait to be promoted, is no reader's business.
            self._wants.append(Admin())

    async def answer(self, request: Request, path: str) -> Response:
        """What is at a path below ``/log/``."""
        try:
            match path.split("/"):
                case ["checkpoint"]:
                    return await self._checkpoint(request)
                case ["key"]:
                    return await self._key(request)
                case ["cosigned"]:
                    return await self._note(request, self._log.files.cosigned, "nobody cosigned this log yet")
                case ["witness", "key"]:
                    return await self._witness_key(request)
                case ["witness", name, "checkpoint"] if _HASH.fullmatch(name):
                    kept = partial(self._log.files.witnessed, name)
                    return await self._note(request, kept, "this keep cosigned nothing of that log")
                case ["tile", *rest]:
                    tile = read_tile("/".join(rest))
                    if tile is not None:
                        return await self._tile(request, tile)
        except WheelkeepError as error:
            log.error("log_unreadable", why=str(error))
            return problem.unavailable(request, "the log cannot be read now", retry_after=30)
        return problem.not_found(request, "the log has checkpoint, key, tile/LEVEL/… and tile/entries/…")

    async def cosign(self, request: Request) -> Response:
        """``POST /log/cosignatures``: a witness that the configuration names brings a checkpoint that it cosigned."""
        try:
            body = b"".join([chunk async for chunk in Body(request, most=_LARGEST).chunks()])
            await take(self._log, body.decode("utf-8"), self._witnesses)
        except BodyTooLargeError:
            return problem.too_large(request, f"a note has at most {_LARGEST} bytes")
        except BodyBrokenOffError:
            return problem.broken_off(request)
        except Unwitnessed as error:
            return problem.not_yours(request, str(error))
        except ValueError as error:
            return problem.unprocessable(request, str(error))
        return Response(200, (_TEXT, _FRESH, *SAFE), b"taken\n")

    async def _checkpoint(self, request: Request) -> Response:
        found = await self._log.checkpoint()
        if found is None:
            return problem.unavailable(request, "the log is being made", retry_after=1)
        note = found[0]
        cosigned = await asyncio.to_thread(self._log.files.cosigned) if self._witnesses else None
        if cosigned is not None and cosigned[0].text == note.text:
            note = note.signed(*cosigned[0].signatures)
        return Response(200, (_TEXT, _FRESH, *SAFE), str(note).encode())

    async def _note(
        self, request: Request, read: Callable[[], tuple[Note, Checkpoint] | None], nothing: str
    ) -> Response:
        found = await asyncio.to_thread(read)
        if found is None:
            return problem.not_found(request, nothing)
        return Response(200, (_TEXT, _FRESH, *SAFE), str(found[0]).encode())

    async def _witness_key(self, request: Request) -> Response:
        key = await asyncio.to_thread(self._log.files.public_witness_key)
        if key is None:
            return problem.not_found(request, "this keep was never a witness")
        return Response(200, (_TEXT, _FRESH, *SAFE), f"{key}\n".encode())

    async def _key(self, request: Request) -> Response:
        key = await self._log.key()
        if key is None:
            return problem.unavailable(request, "the log is being made", retry_after=1)
        return Response(200, (_TEXT, _FRESH, *SAFE), f"{key}\n".encode())

    async def _tile(self, request: Request, tile: Tile) -> Response:
        closed = tile.level is None and self._wants
        if closed:
            for want in self._wants:
                refused = await self._auth.check(request, want)
                if isinstance(refused, Response):
                    return refused
        body = await self._log.tile(tile)
        if body is None:
            return problem.not_found(request, "the newest checkpoint has no such tile")
        response = Response(200, (_BYTES, _FOR_EVER, *SAFE), body)
        if not closed:
            return response
        shown = private(response)
        assert isinstance(shown, Response)
        return shown
