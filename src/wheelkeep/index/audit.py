"""Who fetched or published what, when, from where, with which verdict: two books, read as one."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import Any

from msgspec import Struct

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName
from wheelkeep.store.fetches import Fetch, Fetches, Held, Which
from wheelkeep.store.ledger import Entry, Ledger

FETCHED = "fetched"
"""The kind of every line of the book of fetches; the ledger's lines have kinds of their own."""


class Line(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One line of either book, as ``audit --json`` prints it."""

    book: str
    """``fetches`` or ``ledger``; numbers count in each by itself."""
    id: int
    at: datetime
    kind: str
    index: str | None = None
    source: str | None = None
    project: str | None = None
    version: str | None = None
    filename: str | None = None
    sha256: str | None = None
    who: str | None = None
    """The name of the token."""
    from_: str | None = None
    """The address."""
    tool: str | None = None
    verdict: str | None = None
    """``admitted`` or ``blocked``, of what was asked for."""
    reason: str | None = None
    """Of a verdict: the waivers that lifted another one, or what blocked."""
    partial: bool = False
    count: int = 1
    """How often: repeated refusals are one line."""
    detail: dict[str, Any] = {}
    """What else a line of the ledger tells."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a list was broken off: lines with smaller numbers than these follow. None: from the newest on."""

    fetches: int | None = None
    ledger: int | None = None


class Holder(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One caller that was given a file, with whatever tools."""

    who: str | None
    from_: str
    tools: tuple[str, ...]
    count: int
    first: datetime
    last: datetime

    @property
    def words(self) -> str:
        """For a sentence: ``ci from 10.0.0.1``."""
        told = [self.who or "", f"from {self.from_}" if self.from_ else ""]
        return " ".join(filter(None, told)) or "somebody"


class HeldFile(Struct, frozen=True, kw_only=True):
    """A file, and who has it."""

    filename: str
    project: str
    version: str
    source: str
    sha256: str | None
    holders: tuple[Holder, ...]


async def lines(
    fetches: Fetches, ledger: Ledger, which: Which, *, kind: str | None = None, place: Place | None = None
) -> AsyncGenerator[Line, None]:
    """The lines of both books that are meant, the newest first."""
    place = place or Place()
    given = _fetched(fetches, which, place.fetches) if kind in (None, FETCHED) else _nothing()
    other = _other(ledger, which, kind, place.ledger) if kind != FETCHED else _nothing()
    async with aclosing(given), aclosing(other):
        one, two = await anext(given, None), await anext(other, None)
        while one is not None or two is not None:
            if two is None or (one is not None and one.at >= two.at):
                assert one is not None
                yield one
                one = await anext(given, None)
            else:
                yield two
                two = await anext(other, None)


async def held(fetches: Fetches, which: Which) -> list[HeldFile]:
    """Who has what: the files that are meant and were fetched, each with everybody who was given it."""
    files: dict[tuple[str, str, str | None], list[Held]] = {}
    for one in await fetches.held(which):
        files.setdefault((one.source, one.filename, one.sha256), []).append(one)
    return [
        HeldFile(
            filename=first.filename,
            project=first.project,
            version=first.version,
            source=first.source,
            sha256=first.sha256,
            holders=_holders(them),
        )
        for them in files.values()
        for first in them[:1]
    ]


async def given(fetches: Fetches, which: Which) -> dict[tuple[str, str], tuple[Holder, ...]]:
    """By source and file name, whatever its bytes were: everybody who was given it."""
    files: dict[tuple[str, str], list[Held]] = {}
    for one in await fetches.held(which):
        files.setdefault((one.source, one.filename), []).append(one)
    return {key: _holders(them) for key, them in files.items()}


def _holders(found: Iterable[Held]) -> tuple[Holder, ...]:
    callers: dict[tuple[str | None, str], list[Held]] = {}
    for one in found:
        callers.setdefault((one.who, one.address), []).append(one)
    return tuple(
        Holder(
            who=who,
            from_=address,
            tools=tuple(dict.fromkeys(one.tool for one in them if one.tool)),
            count=sum(one.count for one in them),
            first=min(one.first for one in them),
            last=max(one.last for one in them),
        )
        for (who, address), them in callers.items()
    )


async def _nothing() -> AsyncGenerator[Line, None]:
    return
    yield  # makes this a generator


async def _fetched(fetches: Fetches, which: Which, before: int | None) -> AsyncGenerator[Line, None]:
    async with aclosing(fetches.lines(which, before=before)) as found:
        async for number, fetch in found:
            yield _of_fetch(number, fetch)


def _of_fetch(number: int, fetch: Fetch) -> Line:
    waivers = [f"{one.gate} waived until {one.until} by {one.by}: {one.reason}" for one in fetch.waived]
    return Line(
        book="fetches",
        id=number,
        at=fetch.at,
        kind=FETCHED,
        index=fetch.index,
        source=fetch.source,
        project=fetch.project,
        version=fetch.version,
        filename=fetch.filename,
        sha256=fetch.sha256,
        who=fetch.who,
        from_=fetch.address or None,
        tool=fetch.tool or None,
        verdict="admitted",
        reason="; ".join(waivers) or None,
        partial=fetch.partial,
    )


async def _other(
    ledger: Ledger, which: Which, kind: str | None, before: int | None
) -> AsyncGenerator[Line, None]:
    told = ledger.lines(
        kind=kind,
        source=which.source,
        project=which.rule.name if which.rule is not None else None,
        since=which.since,
        until=which.until,
        before=before,
    )
    async with aclosing(told) as found:
        async for number, entry in found:
            line = _of_entry(number, entry)
            if _meant(line, which):
                yield line


def _of_entry(number: int, entry: Entry) -> Line:
    detail = dict(entry.detail)
    told = {
        name: _text(detail.pop(name, None)) for name in ("index", "version", "sha256", "by", "from", "tool")
    }
    gate, sentence = detail.get("gate"), detail.get("sentence")
    blocked = entry.kind == "blocked"
    count = detail.pop("count", 1) if blocked else 1
    return Line(
        book="ledger",
        id=number,
        at=entry.at,
        kind=entry.kind,
        index=told["index"],
        source=entry.source,
        project=entry.project,
        version=told["version"] or version_of(entry),
        filename=entry.filename,
        sha256=told["sha256"],
        who=told["by"],
        from_=told["from"],
        tool=told["tool"],
        verdict="blocked" if blocked else None,
        reason=f"{gate}: {sentence}" if blocked else None,
        count=count if isinstance(count, int) else 1,
        detail=detail,
    )


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None


def version_of(entry: Entry) -> str | None:
    """The version that an entry is about, as its file name tells."""
    if entry.filename is None or entry.project is None:
        return None
    try:
        return names.filename(entry.filename, ProjectName(entry.project)).version
    except InvalidName:
        return None


def _meant(line: Line, which: Which) -> bool:
    wanted = ((which.who, line.who), (which.address, line.from_), (which.index, line.index))
    if any(value is not None and value != told for value, told in wanted):
        return False
    if which.filename is not None and which.filename != line.filename:
        return False
    if which.rule is None or not which.rule.specifier:
        return True
    return line.version is not None and which.rule.allows(line.version)
