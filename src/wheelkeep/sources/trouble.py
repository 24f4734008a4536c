"""What went wrong with a request, in words for a person: no credential, no query, nothing the peer wrote."""

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wheelkeep.core.errors import Unanswered
from wheelkeep.sources.origin import target
from wheelkeep.sources.reach import REFUSED, remedy
from wheelkeep.sources.wire import aiohttp

# What a server says when it is not broken, but busy or away (RFC 9110, RFC 6585).
BUSY = frozenset({429, 502, 503, 504})
_LONGEST_SHOWN = 200
_LONGEST_WAIT = 86_400.0


class Trouble(Unanswered):
    """A failed try; ``again`` says whether another one is worth it."""

    def __init__(self, reason: str, *, again: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.again = again

    def final(self) -> Unanswered:
        """The same, for those who are not to try again."""
        return Unanswered(self.reason, retry_after=self.retry_after)


def shown(url: str) -> str:
    """A URL for a message: origin and path, short, without the query string, where signatures are."""
    try:
        origin, rest = target(url)
    except ValueError:
        return "an unusable address"
    return f"{origin}{rest.partition('?')[0]}"[:_LONGEST_SHOWN]


def busy(url: str, status: int, headers: Mapping[str, str]) -> Trouble:
    """The trouble that a status of ``BUSY`` is."""
    return Trouble(f"{shown(url)}: HTTP {status}", again=True, retry_after=retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until another try is welcome (RFC 9110, section 10.2.3), None where not told; a day at most."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 10:
        return min(float(told), _LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(told)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return min(max(0.0, (when - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None


@contextmanager
def spoken(url: str) -> Iterator[None]:
    """Turns what the HTTP library and the system raise into Trouble about ``url``."""
    try:
        yield
    except Unanswered:
        raise
    except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
        # Not chained: the library's errors carry the request's headers, and these the credentials.
        raise _trouble(error, url) from None


def _trouble(error: Exception, url: str) -> Trouble:
    where = shown(url)
    match error:
        case aiohttp.ConnectionTimeoutError():
            return Trouble(f"{where}: no connection in time")
        case asyncio.TimeoutError():  # the library's read time-outs too
            return Trouble(f"{where}: no answer in time")
        case aiohttp.ClientProxyConnectionError():
            return Trouble(f"{where}: the environment's proxy cannot be reached", again=True)
        case aiohttp.ClientHttpProxyError():
            return Trouble(f"{where}: the environment's proxy answered HTTP {error.status}")
        case aiohttp.ClientConnectorCertificateError():
            return Trouble(
                f"{where}: its certificate is not trusted ({_certificate(error.certificate_error)});"
                " SSL_CERT_FILE may name the authority that signed it"
            )
        case aiohttp.ClientConnectorDNSError():
            return Trouble(f"{where}: its name cannot be resolved", again=_may_pass(error.os_error))
        case aiohttp.ClientConnectorSSLError():
            return Trouble(f"{where}: no TLS connection could be agreed on")
        case aiohttp.ClientConnectorError():
            return _unconnected(error, url)
        case aiohttp.ClientPayloadError():
            return Trouble(f"{where}: the answer broke off", again=True)
        case aiohttp.ClientResponseError():
            return Trouble(f"{where}: the answer is not readable as HTTP")
        case aiohttp.InvalidURL():
            return Trouble(f"{where}: not a usable address")
        case aiohttp.ClientConnectionError() | OSError():
            return Trouble(f"{where}: the connection was lost", again=True)
        case _:
            return Trouble(f"{where}: the request failed")


def _unconnected(error: aiohttp.ClientConnectorError, url: str) -> Trouble:
    # Several addresses make one error of several texts, so the guard's refusal is known by its words.
    if REFUSED in str(error.os_error):
        origin, _ = target(url)
        return Trouble(f"{origin} is {REFUSED}; {remedy(origin)}")
    # The number, not the text, in which the library names addresses of the inner network.
    why = f" ({os.strerror(error.os_error.errno)})" if error.os_error.errno else ""
    return Trouble(f"{shown(url)}: no connection{why}", again=True)


def _certificate(error: Exception) -> str:
    return (
        error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "it cannot be verified"
    )


def _may_pass(error: OSError) -> bool:
    return error.errno == socket.EAI_AGAIN
