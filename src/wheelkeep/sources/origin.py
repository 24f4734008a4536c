"""Origins: scheme, host and port, in one spelling each (RFC 6454). Which may be asked is in ``reach``."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal, Self
from urllib.parse import quote, urljoin, urlsplit

import idna
from msgspec import Struct

Scheme = Literal["http", "https"]

_PORTS: dict[Scheme, int] = {"http": 80, "https": 443}
# Underscores are no part of DNS host names, but of the service names of container networks.
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.ASCII)
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
# What RFC 3986 lets stand in a path and a query, and "%", since what is escaped stays as it is.
_PLAIN = "/:@!$&'()*+,;=-._~%?"


class Origin(Struct, frozen=True):
    """Where a request goes: ``host`` in lower-case ASCII, IPv6 without brackets; ``port`` always told."""

    scheme: Scheme
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of an absolute URL; names are lower-cased and in IDNA form (RFC 5891), ports filled in.

        Raises ValueError, in words that hold no credential, for anything but plain http or https with a host:
        other schemes, user names, control characters, hosts in percent or in the numeric forms that only old
        C reads.
        """
        if _UNSEEN.search(url) or url != url.strip():
            raise ValueError("the address has control characters or space around it")
        split = urlsplit(url)
        scheme: Scheme
        if split.scheme == "https":
            scheme = "https"
        elif split.scheme == "http":
            scheme = "http"
        else:
            raise ValueError("the address is neither http:// nor https://")
        if "@" in split.netloc:
            raise ValueError("the address holds a user name; it belongs in username and password")
        host, port = _parted(split.netloc)
        return cls(scheme, _host(host), _PORTS[scheme] if port is None else port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def led(here: str, to: str) -> str:
    """Where a ``Location`` leads (RFC 9110 10.2.2). Raises ValueError for one that has a scheme, or the two slashes
    before a host, and no host: a reader that takes it for a path at home takes a 404 there for an absence.
    """
    to = "".join(letter for letter in to if letter >= " ").strip(" ")
    split = urlsplit(to)
    if not split.netloc and (split.scheme or to.startswith("//")):
        raise ValueError("the address has no host")
    return urljoin(here, to)


def target(url: str) -> tuple[Origin, str]:
    """An absolute URL as its origin and the rest that is asked of it (path and query, no fragment).

    The two together are what is sent, so that no second reading of the URL can lead elsewhere. Raises
    ValueError.
    """
    origin = Origin.of(url)
    split = urlsplit(url)
    rest = quote(split.path or "/", safe=_PLAIN)
    if not rest.startswith("/"):
        raise ValueError("the address has no plain path")
    # A question mark in the path cannot be; urlsplit has cut there.
    return origin, f"{rest}?{quote(split.query, safe=_PLAIN)}" if split.query else rest


def _parted(netloc: str) -> tuple[str, int | None]:
    """Host and port; the brackets of an IPv6 address stay with the host."""
    host, colon, port = netloc.rpartition(":")
    if not colon or port.endswith("]"):
        return netloc, None
    if not port:
        return host, None
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= 65535:
        raise ValueError("the address has a port that is no number from 1 to 65535")
    return host, int(port)


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        try:
            address = IPv6Address(text[1:-1])
        except AddressValueError:
            raise ValueError("the address has brackets around something that is no IPv6 address") from None
        if address.scope_id is not None:
            raise ValueError("the address has an IPv6 zone")
        return address.compressed
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except UnicodeError:
            raise ValueError("the host is not a name that IDNA allows") from None
    text = text.lower()
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise ValueError("the address has no host, or one that is no plain name")
    if _NUMBER.fullmatch(text):
        # As browsers do: a name that ends in a number is an IPv4 address, or nothing; 127.1 and 0x7f000001
        # are nothing.
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise ValueError("the host is a number, but not an IPv4 address in its usual form") from None
    return text
