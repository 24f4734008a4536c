"""How whoever serves a thing is to describe it: its type, and how long others may keep it."""

from msgspec import Struct


class Serving(Struct, frozen=True, kw_only=True):
    """Two header fields of HTTP."""

    content_type: str
    cache_control: str
