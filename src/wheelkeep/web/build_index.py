"""One index for one build, on a Unix socket: its pages, metadata and files, judged by its policy, and nothing else.

The answers are those of ``simple`` and ``files``, as a client without a token has them of an open index. There are no
uploads, no API and no other index at this socket, and no credentials count. Each file that is given is in the book of
fetches under the build's name.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from wheelkeep.core import names
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.names import ProjectName
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.logs import get_logger
from wheelkeep.store.scratch import scratch
from wheelkeep.web import problem
from wheelkeep.web.asked import Asked
from wheelkeep.web.auth import Auth
from wheelkeep.web.build_bounds import Spent
from wheelkeep.web.files import Files
from wheelkeep.web.respond import Answer, Receive, Request, Scope, Send, answer
from wheelkeep.web.simple import SimpleApi, project_of

log = get_logger(__name__)
_PATIENCE = 10.0
"""Seconds that the socket may take to be there."""
_LONGEST_PATH = 2048


class BuildIndex:
    """The web face of an index for one build; ``socket`` is where it answers."""

    def __init__(self, keep: Keep, index: Index, who: str, socket: Path) -> None:
        self._keep = keep
        self._index = index
        self._who = who
        asked = Asked(keep.asks, Auth(keep.tokens))
        # Relative links: what the build calls this place is no address outside of it.
        self._simple = SimpleApi(public_url=None, asked=asked)
        self._files = Files(keep, asked)
        self.socket = socket
        self.fetched: set[tuple[ProjectName, str]] = set()
        """Projects and names of the files that were given."""
        self._spent = Spent()

    @property
    def too_much(self) -> str:
        """What the build asked for too much of, as a sentence; empty while it did not."""
        return self._spent.too_much

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # Nobody's token is tried here, and the peer of a Unix socket has no address.
        headers = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
        request = Request({**scope, "headers": headers, "client": None}, receive)
        request.caller = self._who
        try:
            if not self._keep.current:
                await self._keep.catch_up()
            response = await self._route(request)
        except Unwritable as error:
            response = problem.unavailable(request, str(error), retry_after=5)
        except Exception:
            log.exception("build_request_failed", path=request.shown)
            response = problem.unavailable(
                request, "the keep could not deal with this request", retry_after=5
            )
        await answer(request, response, send)

    async def _route(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return problem.method_not_allowed(request)
        parts = request.path.split("/")[1:]
        # ``*`` and ``host:port`` are targets of requests too (RFC 9112, 3.2), and have no parts.
        if len(request.path) > _LONGEST_PATH or parts[:1] != [self._index.path]:
            return problem.not_found(request, "a build has one index, and nothing else is here")
        if not await self._affordable(parts[1:]):
            return problem.enough(request, self.too_much)
        match parts[1:]:
            case ["simple", ""]:
                return await self._simple.root(request, self._index)
            case ["simple", text, ""]:
                return await self._simple.page(request, self._index, text, None, alias=False)
            case ["files", project, sha256, filename]:
                given = await self._files.file(request, self._index, [project, sha256, filename])
                if request.method == "GET" and given.status in (200, 206):
                    self._note(project, filename)
                return given
            case ["blocked", *rest]:
                return await self._files.explain_block(request, self._index, rest)
        return problem.not_found(
            request, "a build has pages and files of one index, and nothing else is here"
        )

    async def _affordable(self, parts: list[str]) -> bool:
        """Whether what is asked for is within the bounds of a build. No source is asked before that is known."""
        if not self._spent.request():
            return False
        match parts:
            case ["simple", text, ""] | ["files", text, _, _]:
                project = project_of(text)
            case ["blocked", _, _, filename]:
                project = names.owner_of(filename)
            case _:
                return True
        if project is None:
            return True  # it has no answer but 404
        if not self._spent.project(project):
            return False
        if parts[0] != "files":
            return True
        if parts[3].endswith(".metadata"):
            return self._spent.described(project, parts[3])
        view = await self._index.decided(project, parts[3])
        entry = view.by_name.get(parts[3]) if isinstance(view, View) else None
        return entry is None or self._spent.file(project, parts[3], entry[0].size)

    def _note(self, project: str, filename: str) -> None:
        if not filename.endswith(".metadata"):
            self.fetched.add((ProjectName(project), filename))


@contextlib.asynccontextmanager
async def serve(keep: Keep, index: Index, who: str) -> AsyncIterator[BuildIndex]:
    """An index that answers on a socket of its own, in a folder that is its owner's alone, until it is left."""
    with scratch("wheelkeep-index-") as folder:
        face = BuildIndex(keep, index, who, folder / "index.sock")
        server = Server(
            face,
            uds=face.socket,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=15_000, max_buffer_size=64 * 1024),
        )
        running: asyncio.Task[Any] = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(_PATIENCE):
                while not face.socket.exists():
                    if running.done():
                        await running
                    await asyncio.sleep(0.01)
            yield face
        finally:
            server.stop()  # type: ignore[no-untyped-call] # granian tells no types here
            await asyncio.wait([running], timeout=_PATIENCE)
            running.cancel()
