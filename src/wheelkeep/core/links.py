"""Links of a page, made absolute and plain (RFC 3986). Which of them may be followed, the source says."""

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from wheelkeep.core.errors import NotAPage

_LONGEST = 4096
_MOST_ODD_CHARACTERS = 1_000_000
_PORT = r":(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_ORIGIN = rf"https?://[A-Za-z0-9][A-Za-z0-9._-]{{0,252}}(?:{_PORT})?"
_ORIGIN_V6 = rf"https?://\[[0-9A-Fa-f:.]{{2,45}}\](?:{_PORT})?"
# RFC 3986's characters of a path and query. No user information, no backslash: parsers differ about both.
_PATH = r"[A-Za-z0-9%!$&'()*+,;=:@/?._~\[\]-]"
_ABSOLUTE = re.compile(rf"({_ORIGIN}/{_PATH}*+)(?:#(.*))?", re.ASCII)
_ABSOLUTE_V6 = re.compile(rf"({_ORIGIN_V6}/{_PATH}*+)(?:#(.*))?", re.ASCII)
_FROM_ROOT = re.compile(rf"(/(?!/){_PATH}*+)(?:#(.*))?", re.ASCII)
_RELATIVE = re.compile(rf"((?:\.\./)*)((?![./:?]){_PATH}++)(?:#(.*))?", re.ASCII)
_PLAIN_BASE = re.compile(rf"({_ORIGIN})(/{_PATH}*+)", re.ASCII)
_KEPT = "%/:=&?~#+!$,;'@()*[]"


class Base:
    """The address that a page's links are relative to: the page's own, or what its ``<base>`` says."""

    def __init__(self, url: str) -> None:
        """``url`` is absolute. User information in it is dropped, so that no link inherits a credential."""
        self._url = _without_user(url)
        self._origin = ""
        self._odd_left = _MOST_ODD_CHARACTERS
        self._above: list[str] = []
        if (plain := _PLAIN_BASE.fullmatch(self._url.partition("#")[0].partition("?")[0])) is not None:
            self._origin, path = plain.groups()
            if "//" not in path and "/." not in path:
                parts = path.split("/")[:-1]
                # One prefix for each ``../``; more of them than there are folders stay at the root.
                self._above = [self._origin + "/".join(parts[:end]) + "/" for end in range(len(parts), 0, -1)]

    def resolve(self, link: str) -> tuple[str, str] | None:
        """A link's absolute http(s) URL without its fragment, and the fragment; None if it is no such link.

        Of a page with thousands of links nearly all have one of three plain spellings, which are read without
        taking the URL apart (a tenth of what ``urljoin`` costs); the rest go the long way to the same result.
        Raises NotAPage where a page has more of the rest than any page could need.
        """
        if len(link) > _LONGEST:
            return None
        if (read := _ABSOLUTE.fullmatch(link)) is not None:
            return read[1], read[2] or ""
        if self._above:
            read = _RELATIVE.fullmatch(link.removeprefix("./"))
            if read is not None and not ("/." in read[2] or "//" in read[2] or ":" in read[2]):
                above = self._above
                return above[min(len(read[1]) // 3, len(above) - 1)] + read[2], read[3] or ""
            read = _FROM_ROOT.fullmatch(link)
            if read is not None and "/." not in read[1] and "//" not in read[1]:
                return self._origin + read[1], read[2] or ""
        return self._resolve_slowly(link)

    def under(self, link: str) -> "Base":
        """The base that ``<base href=link>`` makes of this one; this one, if the link cannot be read."""
        return self if (read := self.resolve(link)) is None else Base(read[0])

    def _resolve_slowly(self, link: str) -> tuple[str, str] | None:
        if not link.isprintable():
            # Control characters: parsers drop, keep or refuse them, each in its own way.
            return None
        self._odd_left -= len(link)
        if self._odd_left < 0:
            raise NotAPage(f"the page has more than {_MOST_ODD_CHARACTERS} characters in oddly spelt links")
        try:
            joined = quote(urljoin(self._url, link), safe=_KEPT)
        except ValueError:
            return None
        # The numbers in brackets were looked at by urljoin, which refuses what is no IPv6 address.
        read = _ABSOLUTE.fullmatch(joined) or _ABSOLUTE_V6.fullmatch(joined)
        return None if read is None else (read[1], read[2] or "")


def absolute(link: str) -> str | None:
    """The link itself, if it is an absolute http(s) URL without fragment, user or odd characters."""
    read = _ABSOLUTE.fullmatch(link) if len(link) <= _LONGEST else None
    return read[1] if read is not None and read[2] is None else None


def _without_user(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
