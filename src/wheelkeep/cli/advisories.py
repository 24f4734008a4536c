"""``advisories``: dumps from disk into the keep, and what they say of it."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import had_by, print_json
from wheelkeep.cli.setup import Json
from wheelkeep.core.rules import Rule, read_name
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.core.names import ProjectName
    from wheelkeep.index.dumps import Imported

app = typer.Typer(no_args_is_help=True, help="Known advisories: take dumps from disk, list what they say.")


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="An OSV dump: a zip, a folder, or one JSON file.")
    ],
    json: Json = False,
) -> None:
    """Take the records of a dump. Exit 1 if one could not be read; run again, it changes only what is newer."""
    settings = configuration.load(context.obj)
    quiet()
    report = asyncio.run(_import(settings, path))
    if json:
        print_json(report)
    else:
        _print(report)
    raise typer.Exit(1 if report.unreadable else 0)


async def _import(settings: Settings, path: Path) -> "Imported":
    from wheelkeep import compose
    from wheelkeep.index.dumps import Imported, take

    keep = compose.build(settings)
    state = Imported(path=str(path), whole=False)
    try:
        async for state in take(keep, path):
            if sys.stderr.isatty():
                print(f"\r{state.records} records", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        return state
    finally:
        await keep.close(seconds=1)


def _print(report: "Imported") -> None:
    for unread in report.unread:
        print(f"not read: {unread.name}: {unread.why}")
    if report.unreadable > len(report.unread):
        print(f"not read: {report.unreadable - len(report.unread)} more")
    print(
        f"{report.taken} records taken about {report.projects} projects, {report.same} known already, "
        f"{report.withdrawn} withdrawn, {report.others} of other ecosystems, {report.unreadable} not read"
    )
    if report.alerts:
        print(f"{report.alerts} alerts about stored files: see wheelkeep advisories list --affecting")


@app.command("list")
def list_(
    context: typer.Context,
    project: Annotated[str | None, typer.Argument(metavar="PROJECT", help="Only about this project.")] = None,
    affecting: Annotated[
        bool, typer.Option("--affecting", help="The stored files that are affected.")
    ] = False,
    json: Json = False,
) -> None:
    """List what the imported dumps say: in short, of a project, or of the files that are stored here."""
    name = None
    if project is not None:
        try:
            name = read_name(project)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    quiet()
    found = asyncio.run(_list(configuration.load(context.obj), name, affecting=affecting))
    if json:
        print_json(found)
        return
    for file in found.get("affecting", ()):
        print(f"{file['filename']}  from {file['source']}{had_by(file['whom'])}")
        for one in file["advisories"]:
            _print_one(one, "    ")
    for one in found.get("advisories", ()):
        _print_one(one, "")
    if "affecting" in found:
        print(f"{len(found['affecting'])} stored files are affected")
    elif "advisories" not in found:
        for dump in found["dumps"]:
            kind = "whole dump" if dump["whole"] else "single records"
            print(f"imported {dump['at']}  {dump['name']} ({kind}): {dump['records']} records")
        print(f"{found['known']} advisories about {found['projects']} projects are known from dumps")


def _print_one(one: dict[str, Any], indent: str) -> None:
    fixed = f"; mended in {', '.join(one['fixed'])}" if one["fixed"] else ""
    names = ", ".join(one["ids"])
    print(f"{indent}{names}: {one['severity'] or 'severity not told'}: {one['summary']}{fixed}")


async def _list(settings: Settings, project: "ProjectName | None", *, affecting: bool) -> dict[str, Any]:
    from wheelkeep import compose
    from wheelkeep.index.audit import given
    from wheelkeep.store.fetches import Which

    keep = compose.build(settings)
    try:
        rows = keep.advisor.rows
        if affecting:
            only = None if project is None else {project}
            rule = None if project is None else Rule(project, "", project)
            had = await given(keep.fetches, Which(rule=rule))
            return {
                "affecting": [
                    {
                        "filename": one.file.filename,
                        "project": one.file.project,
                        "version": one.file.version,
                        "source": one.file.source,
                        "sha256": one.file.sha256,
                        "whom": [by.words for by in had.get((one.file.source, one.file.filename), ())],
                        "advisories": [
                            _entry(trouble.ids, trouble.severity, trouble.summary, trouble.fixed)
                            for trouble in one.troubles
                        ],
                    }
                    async for one in keep.advisor.affecting(only)
                ]
            }
        if project is not None:
            known = (await rows.known(project)).advisories
            return {
                "advisories": [
                    _entry((one.id, *one.aliases), one.severity, one.summary, one.fixed) for one in known
                ]
            }
        count, projects = await rows.counts()
        dumps = [
            {
                "at": f"{dump.at:%Y-%m-%dT%H:%M:%SZ}",
                "name": dump.name,
                "whole": dump.whole,
                "records": dump.records,
            }
            for dump in await rows.dumps()
        ]
        return {"known": count, "projects": projects, "dumps": dumps}
    finally:
        await keep.close(seconds=1)


def _entry(
    ids: tuple[str, ...], severity: str | None, summary: str, fixed: tuple[str, ...]
) -> dict[str, Any]:
    return {"ids": list(ids), "severity": severity, "summary": summary, "fixed": list(fixed)}
