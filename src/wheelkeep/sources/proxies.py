"""Proxies, as the environment names them: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in either case."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from msgspec import Struct

from wheelkeep.core.errors import Unanswered
from wheelkeep.core.settings import Secret
from wheelkeep.sources.origin import Origin


class Proxy(Struct, frozen=True):
    """A proxy's own origin, and the value of Proxy-Authorization where its address holds credentials."""

    origin: Origin
    authorization: Secret | None = None


class Proxies:
    """Which proxy a request goes through; the addresses are those of the moment it was made."""

    def __init__(self) -> None:
        self._named = getproxies()

    def towards(self, origin: Origin) -> Proxy | None:
        """The proxy for an origin, None for a direct connection.

        Raises Unanswered, without credentials, for a proxy that cannot be used: going direct would be a
        surprise.
        """
        named = self._named.get(origin.scheme) or self._named.get("all")
        if not named or _bypassed(origin):
            return None
        return _read(named)


def basic(username: str, password: str) -> Secret:
    """The value of an Authorization header (RFC 7617, in UTF-8)."""
    return Secret("Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii"))


def _bypassed(origin: Origin) -> bool:
    # With the port for entries that have one; without it, because an IPv6 address is split at its last colon.
    return bool(proxy_bypass(f"{origin.host}:{origin.port}") or proxy_bypass(origin.host))


def _read(named: str) -> Proxy:
    try:
        split = urlsplit(named if "://" in named else f"http://{named}")
        place = split.netloc.rpartition("@")[2]
        if split.scheme not in {"http", "https"}:
            raise Unanswered(
                f"the environment's proxy speaks {split.scheme}: only http:// and https:// are supported"
            )
        origin = Origin.of(f"{split.scheme}://{place}")
        username, password = split.username, split.password
    except ValueError:
        raise Unanswered("the environment's proxy has no usable address") from None
    if username is None:
        return Proxy(origin)
    return Proxy(origin, basic(unquote(username), unquote(password or "")))
