"""``verify`` and ``status``: what is kept, and whether it is what it should be."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.setup import Json
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.settings import DirectorySource, HostedSource, Settings
from wheelkeep.core.units import read_size
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.damage import Damage, Sweep
    from wheelkeep.index.keep import Keep


_WORDS = {
    "missing": "missing",
    "foreign": "foreign",
    "database": "damaged database",
    "ledger": "ledger",
}


def verify(
    context: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair", help="Take damage out of service and fetch it again.")
    ] = False,
    rate: Annotated[str, typer.Option("--rate", help="Read at most so much a second.")] = "100MB",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last one was broken off.")
    ] = False,
    json: Json = False,
) -> None:
    """Read every stored file again and hold it against its hash and the ledger. Exit 1 on damage."""
    quiet()
    try:
        most = read_size(rate)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rate") from None
    settings = configuration.load(context.obj)
    try:
        found = asyncio.run(_verify(settings, repair=repair, rate=most, resume=resume))
    except KeyboardInterrupt:
        print("\nwheelkeep: broken off; verify --resume goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    if json:
        print_json(found)
    else:
        for damage in found.damaged:
            print(_line(damage))
        for notice in found.notices:
            print(f"notice: {notice}")
        told = f"{found.files} files, {size(found.bytes)} read; {len(found.damaged)} damaged"
        print(told if found.whole else f"{told}; not everything could be looked at")
    raise typer.Exit(1 if found.left or not found.whole else 0)


def _line(damage: "Damage") -> str:
    named = f" ({damage.file})" if damage.file else ""
    if damage.what == "bytes":
        return f"damaged: {damage.sha256}{named}: its bytes hash to {damage.found}; {damage.says}"
    if damage.what in ("row", "metadata", "page"):
        return f"untrue {damage.what}: {damage.source}{named}: {damage.says}"
    return f"{_WORDS[damage.what]}: {damage.sha256 or damage.file}{named if damage.sha256 else ''}: {damage.says}"


async def _verify(settings: Settings, *, repair: bool, rate: int, resume: bool) -> "Sweep":
    from wheelkeep import compose
    from wheelkeep.index.damage import Sweep
    from wheelkeep.index.sweep import databases, sweep
    from wheelkeep.store.removal import staying

    faults = await asyncio.to_thread(databases, settings.data)
    if faults:
        return Sweep(damaged=faults)
    keep, state, tells = compose.build(settings), Sweep(), sys.stderr.isatty()
    try:
        with staying(settings.data) as stays:
            if not stays:
                raise WheelkeepError("gc removes files at this moment: try again when it is done")
            async for state in sweep(keep, repair=repair, rate=rate, resume=resume):
                if tells:
                    print(f"\r{state.files} files, {size(state.bytes)}", end="", file=sys.stderr)
    except OSError as error:
        raise WheelkeepError(f"the stored files cannot be read: {error}") from None
    finally:
        if tells:
            print(file=sys.stderr)
        await keep.close(seconds=1)
    return state


def status(context: typer.Context, json: Json = False) -> None:
    """Print sizes, freshness and the health of the sources."""
    quiet()
    found = asyncio.run(_status(configuration.load(context.obj)))
    if json:
        print_json(found)
        return
    print(f"data      {found['data']}")
    print(f"files     {found['files']}, {size(found['bytes'])}")
    print(f"incidents {found['incidents']}")
    for source in found["sources"]:
        told = f"{source['pages']} pages"
        if source["answered"]:
            told += f", last answered {source['answered']}"
        if source["reason"]:
            told += f", does not answer since {source['failed']}: {source['reason']}"
        print(f"source    {source['name']} ({source['kind']}): {told}")
    if (told := found["alerts"]) is not None:
        print(f"alerts    to {told['webhook']}: {_delivered(told)}")
    if (scrub := found["scrub"]) is not None:
        print(f"scrub     {_scrubbed(scrub)}")
    if (told := found["verify"]) is not None:
        print(
            f"verify    {told['finished']}: {told['files']} files, {told['damaged']} damaged, {told['left']} left so"
        )
    for index in found["indexes"]:
        print(f"index     {index['name']}: {' > '.join(index['sources'])}, {index['merge']}")


def _scrubbed(scrub: dict[str, Any]) -> str:
    told = f"{scrub['percent']}% of this pass, {scrub['damaged']} damaged, {scrub['healed']} healed"
    if (last := scrub["last"]) is not None:
        told += f"; the last one ended {last['finished']}: {last['files']} files, "
        told += f"{last['damaged']} damaged, {last['healed']} healed"
    return told


def _looked_at(data: Path) -> dict[str, Any]:
    """How the scrub stands and the last ``verify`` ended, with moments as people write them."""
    from wheelkeep.index.scrub import standing

    def read(told: Any) -> Any:
        if not isinstance(told, dict):
            return None
        moments = {name: _epoch(told[name]) for name in ("began", "finished") if name in told}
        return told | moments | ({"last": read(told["last"])} if "last" in told else {})

    return {name: read(told) for name, told in standing(data).items()}


def _epoch(seconds: Any) -> str | None:
    try:
        return _moment(datetime.fromtimestamp(seconds, UTC)) if seconds >= 0 else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


async def _status(settings: Settings) -> dict[str, Any]:
    from wheelkeep import compose

    keep = compose.build(settings)
    try:
        return await _gathered(keep, settings)
    finally:
        await keep.close(seconds=1)


async def _gathered(keep: "Keep", settings: Settings) -> dict[str, Any]:
    sizes = await asyncio.to_thread(lambda: [one.size for one in keep.blobs.look() if one.sha256])
    counts, health, ledger = await keep.pages.counts(), await keep.facts.health(), await keep.ledger.counts()
    sources = []
    for name, source in settings.sources.items():
        known = health.get(name)
        pages, checked = counts.get(name, (0, None))
        if isinstance(source, HostedSource):
            pages = len(await keep.facts.hosted_names(name))
        kind = {HostedSource: "hosted", DirectorySource: "directory"}.get(type(source), "remote")
        sources.append(
            {
                "name": name,
                "kind": kind,
                "pages": pages,
                "checked": checked,
                "answered": _moment(known.answered if known else None),
                "failed": _moment(known.failed if known else None),
                "reason": known.reason if known else None,
            }
        )
    return {
        "data": str(settings.data),
        "files": len(sizes),
        "bytes": sum(sizes),
        "incidents": ledger.get("incident", 0),
        **_looked_at(settings.data),
        "blocked": ledger.get("blocked", 0),
        "alerts": await _alerts(keep),
        "sources": sources,
        "indexes": [
            {
                "name": index.name,
                "sources": ["+".join(group) for group in index.sources],
                "merge": index.merge,
            }
            for index in settings.indexes.values()
        ],
    }


async def _alerts(keep: "Keep") -> dict[str, Any] | None:
    """How the webhook stands, where there is one."""
    if keep.herald is None:
        return None
    standing = await keep.herald.standing()
    return {
        "webhook": keep.herald.receiver.origin,
        "waiting": standing.waiting,
        "refused": standing.refused,
        "taken": _moment(standing.taken),
        "failing": _moment(standing.failing),
        "tries": standing.tries,
        "reason": standing.reason,
    }


def _delivered(told: dict[str, Any]) -> str:
    words = f"last taken {told['taken']}" if told["taken"] else "none taken yet"
    if told["waiting"]:
        words += f", {told['waiting']} wait"
    if told["failing"]:
        words += f", fails since {told['failing']}: {told['reason']}"
    return words


def _moment(moment: Any) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment is not None else None
