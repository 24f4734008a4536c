"""The web face of a keep in this process, asked over ASGI: the same answers as through a server, and much sooner.

async with Inside(tmp_path, config) as inside:
    reply = await inside.get("/main/simple/", accept="text/html")
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from fakes.ask import Reply
from fakes.blank import blank
from wheelkeep import compose, configuration
from wheelkeep.web.app import App
from wheelkeep.web.respond import CutOffError

Message = MutableMapping[str, Any]


class Inside:
    """A keep and its web face; ``keep`` is the one behind it."""

    def __init__(self, folder: Path, config: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "wheelkeep.toml"
        self.config.write_text(config)

    async def __aenter__(self) -> Self:
        settings = configuration.load(self.config)
        blank(settings.data)
        self.keep = compose.build(settings)
        self._app = App(self.keep)
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._life = asyncio.create_task(self._app({"type": "lifespan"}, self._said.get, self._heard.put))
        await self._turn("startup")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._turn("shutdown")
        await self._life

    async def _turn(self, which: str) -> None:
        await self._said.put({"type": f"lifespan.{which}"})
        assert (await self._heard.get())["type"] == f"lifespan.{which}.complete"

    async def ask(
        self,
        method: str,
        path: str,
        *,
        receive: Callable[[], Awaitable[Message]] | None = None,
        **headers: str,
    ) -> Reply:
        """One request; header names are given with underscores. The path is as it stands in the request line.

        ``receive``: the client's side, where it does more than send nothing and stay.
        """
        told: list[Message] = []

        async def send(message: Message) -> None:
            told.append(message)

        try:
            await self._app(scope(method, path, headers), receive or patient(), send)
        except CutOffError:
            return read([*told, {"type": "http.response.body"}], whole=False)
        return read(told)

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, **headers)

    async def head(self, path: str, **headers: str) -> Reply:
        return await self.ask("HEAD", path, **headers)

    async def post(
        self, path: str, *, receive: Callable[[], Awaitable[Message]] | None = None, **headers: str
    ) -> Reply:
        return await self.ask("POST", path, receive=receive, **headers)


def patient() -> Callable[[], Awaitable[Message]]:
    """The receiving side of a client that sends no body, and stays."""
    messages: Iterator[Message] = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        if (message := next(messages, None)) is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    return receive


def sending(*pieces: bytes, gone: bool = False) -> Callable[[], Awaitable[Message]]:
    """The receiving side of a client that sends a body in pieces, and then stays, or is ``gone`` before its end."""
    messages: Iterator[Message] = iter(
        {"type": "http.request", "body": piece, "more_body": gone or at + 1 < len(pieces)}
        for at, piece in enumerate(pieces)
    )

    async def receive() -> Message:
        if (message := next(messages, None)) is not None:
            return message
        if not gone:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return receive


def scope(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """A request as the server hands it on: the path decoded, the query as it came."""
    bare, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(bare),
        "raw_path": bare.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in ({"host": "127.0.0.1:8080"} | headers).items()
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8080),
        "state": {},
        "extensions": {},
    }


def read(told: list[Message], *, whole: bool = True) -> Reply:
    """The reply that the messages of one answer make; what a server would not take is an error here."""
    start, *rest = told
    assert start["type"] == "http.response.start"
    names = [name for name, _ in start["headers"]]
    assert all(name == name.lower() for name in names)
    assert all(not set(value) & set(b"\r\n\0") for _, value in start["headers"]), start["headers"]
    assert len(names) == len(set(names)), f"a header twice: {names}"
    body = b""
    for at, message in enumerate(rest):
        if message["type"] == "http.response.pathsend":
            body += Path(message["path"]).read_bytes()
        else:
            assert message["type"] == "http.response.body"
            body += message.get("body", b"")
        assert message.get("more_body", False) == (at + 1 < len(rest))
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Reply(start["status"], headers, body, whole)
