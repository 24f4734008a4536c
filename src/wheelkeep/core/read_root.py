"""Reads a root list of the Simple API (PEP 503, PEP 691): the names that an index says it has. Hostile input."""

import re
from collections.abc import Iterator

import msgspec

from wheelkeep.core.errors import NotAPage

_HREF = re.compile(rb"<a\b[^<>]*+>([^<]{1,200}+)</a", re.IGNORECASE)
_MOST_NAMES = 1_500_000
"""Twice what the largest index has."""


class _Project(msgspec.Struct):
    name: str


class _Root(msgspec.Struct):
    projects: list[_Project]


_decoder = msgspec.json.Decoder(_Root)


def read_root_json(body: bytes) -> Iterator[str]:
    """The names as they are spelt; raises NotAPage."""
    if body.count(b"{") > _MOST_NAMES:
        raise NotAPage(f"the root list has more than {_MOST_NAMES} names")
    try:
        root = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise NotAPage(f"the root list is not JSON of the Simple API: {error}") from None
    return (project.name for project in root.projects)


def read_root_html(body: bytes) -> Iterator[str]:
    """The names as anchors show them; whoever asks checks each. A tree of 700,000 anchors would be too much to hold."""
    return (match[1].decode("utf-8", "replace").strip() for match in _HREF.finditer(body))
