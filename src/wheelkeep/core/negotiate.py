"""What a request's headers ask for: form, coding, range, and what the client has already (RFC 9110, PEP 691).

Every function is total: a header that cannot be read, or is longer than ``LONGEST``, counts as not sent, and
nothing here raises. Which status code follows is for web to say.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct

LONGEST = 8192
"""Characters of a header that are looked at; a longer one is ignored whole."""

Coding: TypeAlias = Literal["zstd", "gzip", "identity"]


class Form(Enum):
    """The three spellings of the Simple API (PEP 691); the value is the media type."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML_V1 = "application/vnd.pypi.simple.v1+html"
    HTML = "text/html"

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` to answer with: always a real version, never ``latest`` (PEP 691)."""
        return "text/html; charset=utf-8" if self is Form.HTML else self.value

    @property
    def is_json(self) -> bool:
        return self is Form.JSON


# By name; ``latest`` is an alias to ask with, never one to answer with (PEP 691).
_FORMS = {
    "application/vnd.pypi.simple.v1+json": Form.JSON,
    "application/vnd.pypi.simple.latest+json": Form.JSON,
    "application/vnd.pypi.simple.v1+html": Form.HTML_V1,
    "application/vnd.pypi.simple.latest+html": Form.HTML_V1,
    "text/html": Form.HTML,
}
# Who asks for one of these by name wins over who is merely content with it; the order settles equal wishes.
_NAMED_ORDER = (Form.JSON, Form.HTML_V1, Form.HTML)
# Who takes anything is a browser or an old client, and gets what the public index gives them.
_ANY_ORDER = (Form.HTML, Form.JSON, Form.HTML_V1)

_WEIGHT = re.compile(r"[0-9]{0,3}(?:\.[0-9]{0,17})?", re.ASCII)
_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_RANGE = re.compile(r"[ \t]*bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.I | re.ASCII)
_FAR = "9" * 18
"""Bytes that no file has."""


class Span(Struct, frozen=True):
    """A part of a file, in bytes: from ``start`` up to, and without, ``end``."""

    start: int
    end: int


@lru_cache(maxsize=256)
def choose_form(accept: str | None, format_: str | None = None) -> Form | None:
    """The form to answer with, or None where the client takes none of ours (406).

    ``accept`` is the header (RFC 9110 section 12.5.1), None if not sent; ``format_`` the percent-decoded
    value of ``?format=``, which overrides it (PEP 691, "URL Parameter").
    """
    if format_ is not None:
        return None if len(format_) > LONGEST else _FORMS.get(format_.partition(";")[0].strip().lower())
    wishes = list(_weighted(accept))
    if not wishes:
        return Form.HTML
    best: tuple[float, int, int] = (0.0, 0, 0)
    chosen = None
    for form in Form:
        precision, weight = _wish(form, wishes)
        order = _NAMED_ORDER if precision == 2 else _ANY_ORDER
        rank = (weight, precision, -order.index(form))
        if weight > 0 and (chosen is None or rank > best):
            best, chosen = rank, form
    return chosen


def _wish(form: Form, wishes: list[tuple[str, float]]) -> tuple[int, float]:
    """How precisely a form is asked for (2 by name, 1 ``type/*``, 0 ``*/*``), and with which weight."""
    kind = form.value.partition("/")[0]
    told = (-1, 0.0)
    for name, weight in wishes:
        if _FORMS.get(name) is form:
            told = max(told, (2, weight))
        elif name == f"{kind}/*":
            told = max(told, (1, weight))
        elif name in {"*/*", "*"}:
            told = max(told, (0, weight))
    return told


@lru_cache(maxsize=256)
def choose_coding(accept_encoding: str | None) -> Coding:
    """The content coding to answer with (RFC 9110 section 12.5.3); identity where the client refuses all."""
    told: dict[str, float] = {}
    for name, weight in _weighted(accept_encoding):
        told[name.removeprefix("x-")] = weight
    anything = told.get("*", 0.0)
    zstd, gzip = told.get("zstd", anything), told.get("gzip", anything)
    # Not named, identity is allowed, yet a client that lists codings would rather have one of them.
    identity = told.get("identity", 0.0)
    if zstd > 0 and zstd >= max(gzip, identity):
        return "zstd"
    return "gzip" if gzip > 0 and gzip >= identity else "identity"


def takes(accept: str | None, media_type: str) -> bool:
    """Whether a client that says ``Accept`` takes a media type, as which it may ask for plain JSON too."""
    wishes = list(_weighted(accept))
    kind = media_type.partition("/")[0]
    good = (media_type, f"{kind}/json", f"{kind}/*", "*/*", "*")
    return not wishes or any(name in good and weight > 0 for name, weight in wishes)


def prefers_html(accept: str | None) -> bool:
    """Whether a refusal is better shown as a web page than as a problem document (RFC 9457).

    Only a client that names ``text/html`` is a browser. One that would rather have some JSON is not:
    installers name ``text/html`` too, after the JSON form of the Simple API, and show a problem's detail.
    """
    html = json = 0.0
    for name, weight in _weighted(accept):
        if name == "text/html":
            html = max(html, weight)
        elif name.startswith("application/") and name.endswith(("/json", "+json")):
            json = max(json, weight)
    return html > 0 and html >= json


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether ``If-None-Match`` names the entity tag, or any (``*``).

    ``etag`` as it is sent: with its quotes, weak or strong; the comparison is weak (RFC 9110 section 13.1.2).
    """
    if if_none_match is None or len(if_none_match) > LONGEST:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(tag == opaque for tag in _ENTITY_TAG.findall(if_none_match))


def _bounded(digits: str) -> str:
    """A place in a file that is beyond the end of every file is as good as one that is hardly beyond it."""
    return _FAR if len(digits.lstrip("0")) > len(_FAR) else digits.lstrip("0") or digits[:1]


def parse_range(value: str | None, size: int) -> Span | Literal["unsatisfiable"] | None:
    """The part of a file of ``size`` bytes that ``Range`` asks for (RFC 9110 section 14.2).

    None: send the whole file (no header, another unit, one that cannot be read, or several ranges at once,
    which a server may ignore). ``"unsatisfiable"``: the range begins beyond the end (416).
    """
    if value is None or len(value) > LONGEST or not (read := _RANGE.fullmatch(value)):
        return None
    first, last = (_bounded(digits) for digits in read.groups())
    if not first:
        if not last:
            return None
        if int(last) == 0:
            return "unsatisfiable"
        # An empty file has no part to send, but is itself its last so many bytes.
        return Span(max(0, size - int(last)), size) if size else None
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        return "unsatisfiable"
    return Span(start, min(int(last) + 1, size) if last else size)


def _weighted(header: str | None) -> Iterator[tuple[str, float]]:
    """The members of a list header in lower case, with their weights (RFC 9110 section 12.4.2).

    A member whose weight cannot be read is left out: it is not known what was meant.
    """
    if header is None or len(header) > LONGEST:
        return
    for member in header.split(","):
        name, *parameters = member.split(";")
        if not (name := name.strip().lower()):
            continue
        weight: float | None = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                weight = _read_weight(value.strip())
                break
        if weight is not None:
            yield name, weight


def _read_weight(text: str) -> float | None:
    if text in {"", "."} or not _WEIGHT.fullmatch(text):
        return None
    # More than three digits, or more than 1, is outside the grammar, and clear enough.
    return min(float(text), 1.0)
