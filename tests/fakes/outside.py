"""The outside world on 127.0.0.1: a package index that serves what it is given, and can lie or vanish.

    with Outside() as outside:
        outside.add(*wheel("demo", "1.0"))
        outside.faults["/files/demo/"] = "truncate"    # by the longest prefix of the path: faults.NAMED
        outside.faults["/simple/"] = faults.times(1, faults.status(503, retry_after=1))

How pages read is in ``pages``, how it misbehaves in ``faults``.
"""

import asyncio
import gzip
import hashlib
import ssl
import threading
from typing import Any, Self
from urllib.parse import quote, unquote

from fakes import pages
from fakes.faults import NAMED, Answer, Exchange, Fault, Request, honest
from fakes.pages import Listed, normal


class Outside:
    """A real HTTP/1.1 server in a thread of its own; a context manager, or ``start()`` and ``stop()``.

    Knobs, to be set at any time: ``formats`` ("json", "html"), ``etags``, ``gzip``, ``ranges``, ``delay``
    (seconds before each answer), ``faults`` (path prefix -> name or fault), ``projects_status``,
    ``vulnerabilities`` (by project, for the legacy JSON), ``files_at`` (a prefix for file links, such as
    another server's ``/files``), ``bodies`` (path -> answer). ``log`` has every request; ``asked`` picks.
    ``connections`` counts them.
    """

    def __init__(
        self, *, formats: tuple[str, ...] = ("json", "html"), tls: ssl.SSLContext | None = None
    ) -> None:
        self.formats = formats
        self.etags = True
        self.gzip = True
        self.ranges = True
        self.delay = 0.0
        self.faults: dict[str, Fault | str] = {}
        self.bodies: dict[str, Answer] = {}
        self.log: list[Request] = []
        self.connections = 0
        self.projects_status: dict[str, tuple[str, str | None]] = {}
        self.vulnerabilities: dict[str, list[dict[str, Any]]] = {}
        self.files_at: str | None = None
        self.port = 0
        self._tls = tls
        self._listed: dict[str, dict[str, Listed]] = {}
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base of the pages, with the slash that a source's url ends with."""
        return f"{self.origin}/simple/"

    def add(
        self,
        filename: str,
        content: bytes,
        *,
        requires_python: str | None = None,
        yanked: str | None = None,
        upload_time: str | None = "2020-02-02T00:00:00.000000Z",
        metadata: bytes | None = None,
        provenance: dict[str, Any] | None = None,
        project: str | None = None,
        sha256: str | None = None,
        url: str | None = None,
    ) -> Listed:
        """Lists a file on its project's page, or replaces it there.

        ``project``: another page than the name tells; ``sha256``: a hash to state in place of the true one,
        "" for none; ``url``: a link in place of the true one. ``filename`` may be as wicked as a test needs,
        with ``project`` given.
        """
        owner = normal(project or pages.owner(filename))
        listed = Listed(
            filename=filename,
            project=owner,
            content=content,
            sha256=hashlib.sha256(content).hexdigest() if sha256 is None else sha256,
            requires_python=requires_python,
            yanked=yanked,
            upload_time=upload_time,
            metadata=metadata,
            provenance=provenance,
            url=url,
        )
        self._listed.setdefault(owner, {})[filename] = listed
        return listed

    def change(self, filename: str, content: bytes, *, sha256: str | None = None) -> None:
        """Other bytes under a name already listed; the page states their hash, or the one given."""
        for files in self._listed.values():
            if filename in files:
                files[filename].content = content
                files[filename].sha256 = hashlib.sha256(content).hexdigest() if sha256 is None else sha256

    def remove(self, filename: str) -> None:
        """Unlists a file; a project without files is unknown (404) again."""
        for owner in list(self._listed):
            self._listed[owner].pop(filename, None)
            if not self._listed[owner]:
                del self._listed[owner]

    def empty(self, project: str) -> None:
        """A project that has a page and no file."""
        self._listed.setdefault(normal(project), {})

    def asked(self, prefix: str = "/") -> list[Request]:
        """The log's entries whose path starts so."""
        return [entry for entry in self.log if entry.path.startswith(prefix)]

    # The server.

    def start(self) -> Self:
        """Starts to listen, on the same port as before a ``stop``."""
        ready, failed = threading.Event(), []

        def run() -> None:
            try:
                asyncio.run(self._serve(ready))
            except OSError as error:
                failed.append(error)
                ready.set()

        self._thread = threading.Thread(target=run, name="outside", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            raise failed[0]
        return self

    def stop(self) -> None:
        """An outage: connections are cut, new ones refused."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        talks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            self.connections += 1
            try:
                await self._converse(reader, writer)
            except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
                writer.transport.abort()
            finally:
                talks.discard(task)
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", self.port, ssl=self._tls, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close on the loop's next turns

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ", 2)
            fields = (line.partition(":") for line in head[1:] if line)
            request = Request(method, target, {name.lower(): value.strip() for name, _, value in fields})
            self.log.append(request)
            if self.delay:
                await asyncio.sleep(self.delay)
            exchange = Exchange(request, self._answer(request), writer)
            await self._fault(target)(exchange)
            if exchange.closed:
                return

    def _fault(self, path: str) -> Fault:
        prefixes = [prefix for prefix in list(self.faults) if path.startswith(prefix)]
        if not prefixes:
            return honest
        fault = self.faults[max(prefixes, key=len)]
        return NAMED[fault] if isinstance(fault, str) else fault

    # What an honest index answers.

    def _answer(self, request: Request) -> Answer:
        path = unquote(request.path.partition("?")[0])
        if (fixed := self.bodies.get(path)) is not None:
            return self._ranged(request, fixed)
        if path.startswith("/simple/"):
            return self._page(request, path.removeprefix("/simple/"))
        if path.startswith("/files/"):
            return self._file(request, path)
        if path.startswith("/integrity/"):
            return self._provenance(path)
        if path.startswith("/pypi/") and path.endswith("/json"):
            return self._legacy(path.removeprefix("/pypi/").removesuffix("/json"))
        return Answer(404, {"Content-Type": "text/plain"}, b"not found")

    def _page(self, request: Request, rest: str) -> Answer:
        name = rest.rstrip("/")
        if name and name not in self._listed:
            return Answer(404, {"Content-Type": "text/plain"}, b"not found")
        json = "json" in self.formats and (
            "html" not in self.formats or "+json" in request.headers.get("accept", "")
        )
        if not name:
            body = pages.root_json(self._listed) if json else pages.root_html(self._listed)
        else:
            files = [(one, self._link(one), self._proof(one)) for one in list(self._listed[name].values())]
            told = self.projects_status.get(name)
            body = pages.project_json(name, files, told) if json else pages.project_html(name, files, told)
        kind = "application/vnd.pypi.simple.v1+json" if json else "text/html; charset=utf-8"
        answer = Answer(200, {"Content-Type": kind, "Vary": "Accept"}, body)
        if self.etags:
            answer.headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            if request.headers.get("if-none-match") == answer.headers["ETag"]:
                return Answer(304, {"ETag": answer.headers["ETag"]})
        if self.gzip and "gzip" in request.headers.get("accept-encoding", ""):
            answer.headers["Content-Encoding"] = "gzip"
            answer.body = gzip.compress(body, 1, mtime=0)
        return answer

    def _link(self, one: Listed) -> str:
        if one.url is not None:
            return one.url
        base = "../../files" if self.files_at is None else self.files_at.rstrip("/")
        return f"{base}/{one.project}/{quote(one.filename)}"

    def _proof(self, one: Listed) -> str | None:
        if one.provenance is None:
            return None
        return f"{self.origin}/integrity/{one.project}/{one.version}/{quote(one.filename)}/provenance"

    def _file(self, request: Request, path: str) -> Answer:
        _, _, project, filename = path.split("/", 3)
        files = self._listed.get(project, {})
        if (
            filename.endswith(".metadata")
            and (beside := files.get(filename.removesuffix(".metadata"))) is not None
        ):
            if beside.metadata is not None:
                return Answer(200, {"Content-Type": "application/octet-stream"}, beside.metadata)
        elif (one := files.get(filename)) is not None:
            return self._ranged(
                request, Answer(200, {"Content-Type": "application/octet-stream"}, one.content)
            )
        return Answer(404, {"Content-Type": "text/plain"}, b"not found")

    def _ranged(self, request: Request, whole: Answer) -> Answer:
        """One range of bytes (RFC 9110, section 14), unless ``If-Range`` names other bytes."""
        answer = Answer(whole.status, dict(whole.headers), whole.body)
        if self.etags:
            answer.headers["ETag"] = f'"{hashlib.sha256(whole.body).hexdigest()[:32]}"'
        wanted = request.headers.get("range", "")
        if not self.ranges or not wanted.startswith("bytes=") or whole.status != 200:
            return answer
        if (condition := request.headers.get("if-range")) and condition != answer.headers.get("ETag"):
            return answer
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        size = len(whole.body)
        start = int(first) if first else max(0, size - int(last))
        end = min(int(last), size - 1) if first and last else size - 1
        if start >= size:
            return Answer(416, {"Content-Range": f"bytes */{size}"})
        answer.status, answer.body = 206, whole.body[start : end + 1]
        answer.headers["Content-Range"] = f"bytes {start}-{end}/{size}"
        return answer

    def _provenance(self, path: str) -> Answer:
        _, _, project, _, filename, *_ = path.split("/")
        one = self._listed.get(project, {}).get(filename)
        if one is None or one.provenance is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"not found")
        return Answer(
            200, {"Content-Type": "application/vnd.pypi.integrity.v1+json"}, pages.dump(one.provenance)
        )

    def _legacy(self, rest: str) -> Answer:
        project, _, version = rest.partition("/")
        project = normal(project)
        if project not in self._listed:
            return Answer(404, {"Content-Type": "application/json"}, b'{"message": "Not Found"}')
        files = [
            (one, f"{self.origin}/files/{project}/{quote(one.filename)}")
            for one in self._listed[project].values()
        ]
        body = pages.legacy_json(project, files, version or None, self.vulnerabilities.get(project, []))
        if body is None:
            return Answer(404, {"Content-Type": "application/json"}, b'{"message": "Not Found"}')
        return Answer(200, {"Content-Type": "application/json"}, body)
