"""The only outbound HTTP: one client for each remote source, with its bounds, its reach and its manners.

It sends no cookie, no referrer and nothing about who asks; credentials go to the source's own origin alone.
What an answer means for a page or a file is not known here: statuses are facts, and only what is no answer is
an error.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from msgspec import Struct
from yarl import URL

from wheelkeep import __version__
from wheelkeep.core import measures
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.settings import Secret
from wheelkeep.sources import trust
from wheelkeep.sources.decode import Decoder
from wheelkeep.sources.download import Span, Stream, let_go
from wheelkeep.sources.limits import Limits
from wheelkeep.sources.origin import Origin, led, target
from wheelkeep.sources.proxies import Proxies, Proxy, basic
from wheelkeep.sources.reach import Guard, Reach, check_unseen
from wheelkeep.sources.resolver import Resolver
from wheelkeep.sources.trouble import BUSY, Trouble, busy, retry_after, shown, spoken
from wheelkeep.sources.wire import aiohttp

_AGENT = f"wheelkeep/{__version__}"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOTHING: Mapping[str, str] = {}
_READ = 128 * 1024
_REDIRECT_BODY = 64 * 1024
_REDIRECT_TIME = 0.5
_GATEWAYS_GOOD = 60.0
_T = TypeVar("_T")


class Reply(Struct, frozen=True):
    """A whole answer: ``url`` is the final one, ``body`` is unpacked, ``headers`` knows no case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class _Pace(Struct, frozen=True):
    """How long the headers may take altogether, and the wire be silent, in seconds."""

    headers: float
    silence: float


class Client:
    """Requests in the name of one remote source; made anywhere, used in one event loop, to be closed.

    ``url`` is the source's base and its origin the source's own; ``files`` are further origins that it may
    lead to. Raises ValueError for an address among these that is no plain http or https one.
    """

    def __init__(
        self,
        *,
        url: str,
        files: tuple[str, ...] = (),
        username: str | None = None,
        password: Secret | None = None,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        count: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``count`` is told what happens, by its place among the ``core.measures``."""
        self._count = count
        self._own = Origin.of(url)
        self._reach = Reach(self._own, tuple(Origin.of(one) for one in files))
        self._authorization = (
            basic(username or "", password.reveal() if password else "") if username or password else None
        )
        self._limits = limits
        self._proxies = Proxies()
        self._guard = Guard()
        self._gateways_until = 0.0
        self._resolver: Resolver | None = None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._closed = False
        self._page_pace = _Pace(limits.connect + limits.first_byte, limits.silence)
        self._file_pace = _Pace(limits.connect + limits.file_first_byte, limits.file_silence)

    async def close(self) -> None:
        """Closes every connection; requests under way fail as Unanswered."""
        self._closed = True
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()
        if self._resolver is not None:
            await self._resolver.close()
        await asyncio.sleep(0)  # transports close on the loop's next turn

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = _NOTHING,
        deadline: float | None = None,
        largest: int | None = None,
    ) -> Reply:
        """Fetches a page, whole.

        ``deadline`` is in seconds from now, for all tries together; ``largest`` is in bytes, for the rare
        document that may be larger than a page. Whatever the status, it is returned; only
        those of a server that is busy or away (429, 502, 503, 504) are tried again, and raised in the end.
        Raises Unanswered.
        """
        within = self._limits.whole if deadline is None else deadline
        try:
            async with asyncio.timeout(within):
                return await self._tried(lambda: self._page(url, headers, largest), within)
        except TimeoutError:
            self._count(measures.UPSTREAM_FAILURES)
            raise Unanswered(f"{shown(url)}: no whole answer within {within:.3g} s") from None

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], deadline: float
    ) -> tuple[int, float | None]:
        """Sends a body, once; gives the status, and the seconds after which another try is welcome, where told.

        What comes back is not read, and a redirect is an answer like any other. ``deadline`` is in seconds. Raises
        Unanswered.
        """
        try:
            async with asyncio.timeout(deadline):
                origin, rest = target(url)
                with spoken(url):
                    response = await self._send(
                        "POST", origin, rest, headers, self._page_pace, at_home=origin == self._own, body=body
                    )
        except TimeoutError:
            raise Unanswered(f"no answer within {deadline:.3g} s") from None
        told = response.status, retry_after(response.headers)
        let_go(response)
        return told

    @asynccontextmanager
    async def stream(self, url: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[Stream]:
        """Opens a file for reading, from byte ``start`` to byte ``end`` inclusive.

        A negative ``start`` asks for so many bytes at the end. Raises FileMissing for a clean 404, else
        Unanswered.
        """

        async def begin(span: Span, condition: str | None) -> aiohttp.ClientResponse:
            headers = {"Accept-Encoding": "identity"}
            if (wanted := span.header) is not None:
                headers["Range"] = wanted
                if condition is not None:
                    headers["If-Range"] = condition
            return (await self._follow("GET", url, headers, self._file_pace))[0]

        async def opened() -> Stream:
            file = Stream(url, Span(start, end), begin, self._limits)
            try:
                await file.open()
            except BaseException:
                file.close()
                raise
            return file

        file = await self._tried(opened, self._file_pace.headers)
        try:
            yield file
        finally:
            file.close()

    async def head_size(self, url: str) -> int | None:
        """The size of a file in bytes as a HEAD request tells it; None where it does not, for any reason."""
        try:
            response, _ = await self._follow("HEAD", url, {"Accept-Encoding": "identity"}, self._page_pace)
        except Unanswered:
            return None
        told = response.headers.get("Content-Length", "")
        let_go(response)
        clean = response.status == 200 and told.isascii() and told.isdigit() and len(told) < 19
        return int(told) if clean else None

    async def _tried(self, once: Callable[[], Awaitable[_T]], within: float) -> _T:
        """Tries until it is no use, with growing and random pauses."""
        clock = asyncio.get_running_loop().time
        end = clock() + within
        tried = 0
        while True:
            try:
                return await once()
            except Trouble as trouble:
                tried += 1
                pause = self._limits.pause * 2 ** (tried - 1) * random.uniform(0.5, 1)  # noqa: S311 (jitter)
                pause = max(pause, trouble.retry_after or 0.0)
                hopeless = pause > self._limits.patience or clock() + pause >= end
                if not trouble.again or tried >= self._limits.tries or hopeless:
                    self._count(measures.UPSTREAM_FAILURES)
                    raise trouble.final() from None
            await asyncio.sleep(pause)

    async def _page(self, url: str, headers: Mapping[str, str], largest: int | None) -> Reply:
        asked = {**headers, "Accept-Encoding": "gzip"}
        response, final = await self._follow("GET", url, asked, self._page_pace)
        try:
            if response.status in BUSY:
                raise busy(final, response.status, response.headers)
            body = await self._body(response, final, largest)
            told = response.headers.copy()
            for name in {name for name, value in told.items() if not value.isascii()}:
                # What is no text (RFC 9110 5.5) can be neither kept nor sent back nor shown.
                told.popall(name)
            return Reply(response.status, final, told, body)
        finally:
            let_go(response)

    async def _body(self, response: aiohttp.ClientResponse, url: str, largest: int | None) -> bytes:
        encoding = ", ".join(response.headers.getall("Content-Encoding", ()))
        pieces = []
        try:
            decoder = Decoder(
                encoding,
                packed=largest or self._limits.packed,
                unpacked=largest or self._limits.unpacked,
            )
            with spoken(url):
                async for piece in response.content.iter_any():
                    pieces.append(decoder.feed(piece))
            decoder.finish()
        except Trouble:
            raise
        except Unanswered as error:
            raise Unanswered(f"{shown(url)}: {error.reason}") from None
        return b"".join(pieces)

    async def _follow(
        self, method: str, url: str, headers: Mapping[str, str], pace: _Pace
    ) -> tuple[aiohttp.ClientResponse, str]:
        """The answer at the end of the redirects, and its URL, within the pace's time for headers."""
        self._count(measures.UPSTREAM_REQUESTS)
        with spoken(url):
            async with asyncio.timeout(pace.headers):
                return await self._hop(method, url, headers, pace)

    async def _hop(
        self, method: str, url: str, headers: Mapping[str, str], pace: _Pace
    ) -> tuple[aiohttp.ClientResponse, str]:
        """From redirect to redirect; each is checked as if it were the first."""
        here = ""
        at_home = True
        for _ in range(self._limits.redirects + 1):
            try:
                origin, rest = target(led(here, url))
            except ValueError as error:
                where = f"{shown(here)} redirects to no usable address" if here else "no usable address"
                raise Unanswered(f"{where}: {error}") from None
            # Once away, always away: a foreign origin must not choose what is asked at home with
            # our credentials.
            at_home = at_home and origin == self._own
            response = await self._send(method, origin, rest, headers, pace, at_home=at_home)
            here = f"{origin}{rest}"
            if response.status not in _REDIRECTS:
                return response, here
            await _drain(response)
            url = response.headers.get("Location", "")
            if not url:
                raise Unanswered(f"{shown(here)}: HTTP {response.status}, but not where to")
        raise Unanswered(f"{shown(here)}: more than {self._limits.redirects} redirects")

    async def _send(
        self,
        method: str,
        origin: Origin,
        rest: str,
        headers: Mapping[str, str],
        pace: _Pace,
        *,
        at_home: bool,
        body: bytes | None = None,
    ) -> aiohttp.ClientResponse:
        guarded = self._reach.is_guarded(origin)
        proxy = self._proxies.towards(origin)
        if guarded and proxy is not None:
            # The proxy opens the connection, and itself has an inner address: names and literals are all
            # there is.
            check_unseen(origin)
            guarded = False
        elif guarded:
            await self._learn_gateways()
        sent = dict(headers)
        if at_home and self._authorization is not None:
            sent["Authorization"] = self._authorization.reveal()
        proxy_headers = _towards(proxy, origin, sent)
        url = f"{origin}{rest}"
        # Reading the system's certificates takes a while: only those who speak TLS need them.
        secure = origin.scheme == "https" or (proxy is not None and proxy.origin.scheme == "https")
        believed = trust.context() if secure else True
        session = self._session(guarded=guarded)
        with spoken(url):
            return await session.request(
                method,
                URL(url, encoded=True),
                headers=sent,
                data=body,
                allow_redirects=False,
                ssl=believed,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._limits.connect, sock_read=pace.silence
                ),
                proxy=None if proxy is None else URL(str(proxy.origin), encoded=True),
                proxy_headers=proxy_headers,
            )

    def _session(self, *, guarded: bool) -> aiohttp.ClientSession:
        """The session for a kind of origin; a guarded one opens public addresses only."""
        if self._closed:
            raise Unanswered("the source's client is closed")
        session = self._sessions.get(guarded)
        if session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._names(),
                limit=self._limits.connections,
                socket_factory=self._guard if guarded else None,
            )
            session = self._sessions[guarded] = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": _AGENT, "Accept": "*/*"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=_READ,
                max_line_size=self._limits.header_line,
                max_field_size=self._limits.header_line,
            )
        return session

    def _names(self) -> Resolver:
        if self._resolver is None:
            self._resolver = Resolver()
        return self._resolver

    async def _learn_gateways(self) -> None:
        """Looks up the source's own host now and then, for the guard's one exception."""
        now = asyncio.get_running_loop().time()
        if now >= self._gateways_until:
            self._guard.gateways = await self._names().addresses(self._own.host)
            self._gateways_until = now + _GATEWAYS_GOOD


def _towards(proxy: Proxy | None, origin: Origin, sent: dict[str, str]) -> dict[str, str] | None:
    """Puts a proxy's credentials where only the proxy reads them: with the CONNECT, or in what it relays."""
    if proxy is None:
        return None
    proxy_headers = {"User-Agent": _AGENT}
    if proxy.authorization is not None:
        place = proxy_headers if origin.scheme == "https" else sent
        place["Proxy-Authorization"] = proxy.authorization.reveal()
    return proxy_headers


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Reads a redirect's short body, so that its connection can serve the next request."""
    size = response.content_length
    try:
        if size is not None and size <= _REDIRECT_BODY:
            async with asyncio.timeout(_REDIRECT_TIME):
                await response.content.read()
    except (aiohttp.ClientError, OSError):
        pass  # nothing depends on it: the connection is closed then
    finally:
        let_go(response)
