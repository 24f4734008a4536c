"""Places on the network that a configuration names: where to listen, and other machines' URLs and origins.

Everything is checked before urllib sees it, which would drop tabs and newlines in silence. No error repeats
the text: it may hold a password.
"""

import re
from ipaddress import AddressValueError, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

_LISTEN = re.compile(r"(?:\[([^\]\s]+)\]|([^:\s\[\]]+)):([0-9]{1,5})", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)
_URL_TEXT = re.compile(
    r"[!#-;=?-\[\]_a-z~]+", re.ASCII
)  # printable ASCII less space, quotes, < > \ ^ ` { | }
_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_listen(text: str) -> tuple[str, int]:
    """``HOST:PORT`` or ``[IPv6]:PORT`` as host (no brackets) and port (0: any free one), or ValueError."""
    found = _LISTEN.fullmatch(text)
    if found is None:
        raise ValueError('must be HOST:PORT, such as "127.0.0.1:8080", "0.0.0.0:8080" or "[::1]:8080"')
    host, port = found[1] or found[2], int(found[3])
    if port > 65535:
        raise ValueError(f"{port} is not a port: the largest is 65535")
    if found[1]:
        try:
            IPv6Address(host)
        except AddressValueError:
            raise ValueError(
                'has no IPv6 address within the brackets: write "[::1]:8080" or "127.0.0.1:8080"'
            ) from None
    elif not _HOST.fullmatch(host):
        raise ValueError(
            'has no host before the colon: write "0.0.0.0:8080" for every address of this machine'
        )
    return host, port


def read_remote_url(text: str) -> str:
    """An absolute http(s) URL of a simple index, with a trailing slash; ValueError never has the text."""
    url = _split(text, ": put them into username and password beside it")
    return _origin(url) + url.path.rstrip("/") + "/"


def read_public_url(text: str) -> str:
    """An absolute http or https URL without its trailing slash; raises ValueError without the text."""
    url = _split(text)
    return _origin(url) + url.path.rstrip("/")


def read_origin(text: str) -> str:
    """``scheme://host[:port]``, lower-case, less the scheme's own port; ValueError never has the text."""
    url = _split(text)
    if url.path:
        raise ValueError(f'must be an origin, without a path: write "{_origin(url)}"')
    return _origin(url)


def read_webhook(text: str) -> str:
    """The very text of an absolute http or https URL that may have a query; ValueError never has the text."""
    if not _URL_TEXT.fullmatch(text) or "#" in text:
        raise ValueError("must be an absolute URL in plain ASCII, without '#'")
    _split(text.partition("?")[0])
    return text


def read_issuer(text: str) -> str:
    """The very text of an issuer's URL (OpenID Connect Discovery 1.0, 4.3): https, or http to this machine alone."""
    url = _split(text)
    if url.scheme != "https" and not is_loopback(url.hostname or ""):
        raise ValueError("must begin with https://: its keys decide who publishes")
    return text


def is_loopback(host: str) -> bool:
    """Whether a host (without brackets) is this machine and nobody else's."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def in_the_clear(url: str) -> bool:
    """Whether a URL that was read here goes over a network without encryption."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _split(text: str, credentials: str = "") -> SplitResult:
    if not _URL_TEXT.fullmatch(text) or "://" not in text:
        raise ValueError(
            "must be an absolute URL such as https://packages.acme.example/simple/, in plain ASCII"
        )
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise ValueError("is not a URL: its host or port cannot be read") from None
    if url.scheme not in _DEFAULT_PORTS:
        raise ValueError("must begin with https:// or http://")
    if "@" in url.netloc:
        raise ValueError(f"must not hold credentials{credentials}")
    if "?" in text or "#" in text:
        raise ValueError("must end with its path: no '?' and no '#'")
    known = _is_ipv6(host) if "[" in url.netloc else _HOST.fullmatch(host)
    if not known or port == 0:
        raise ValueError("is not a URL: its host or port cannot be read")
    return url


def _origin(url: SplitResult) -> str:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = "" if url.port in (None, _DEFAULT_PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except AddressValueError:
        return False
    return True
