"""What lists have in common: a page of so many items, and where the next one begins."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

Limit = Annotated[int, Meta(ge=1, le=1000, description="How many items at most.")]
After = Annotated[
    str, Meta(max_length=300, description="Where the page before ended: the `next` of its answer.")
]
T = TypeVar("T")


class Paging(Struct, frozen=True, kw_only=True):
    """Which page of a list."""

    after: After | None = None
    limit: Limit = 100


def cut(found: Sequence[T], limit: int, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """The items of a page and its ``next``, out of one more than were asked for."""
    shown = list(found[:limit])
    return shown, key(shown[-1]) if len(found) > limit else None
