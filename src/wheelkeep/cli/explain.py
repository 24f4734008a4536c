"""``explain``: for each candidate file its source, the verdict, each gate's reason, and what would change it."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.names import IndexName
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.explain import Explanation, FileSaid


_GONE = {
    "project": "gone at its origin with the whole project",
    "quarantined": "gone at its origin, which has put the project into quarantine",
}


def explain(
    context: typer.Context,
    requirement: Annotated[str, typer.Argument(help='A name, or a requirement such as "django>=5".')],
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    json: Json = False,
) -> None:
    """Say for each candidate file what every gate says of it. Exit 1 if none is admitted."""
    try:
        rule = read_rule(requirement)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    quiet()
    settings = configuration.load(context.obj)
    found = asyncio.run(_explain(settings, choose_index(settings, index), rule))
    if json:
        print_json(found)
    else:
        _print(found)
    raise typer.Exit(0 if found.admitted else 1)


async def _explain(settings: Settings, index: IndexName, rule: Rule) -> "Explanation":
    from wheelkeep import compose
    from wheelkeep.index.explain import explain as ask

    keep = compose.build(settings)
    await keep.start()
    try:
        return await ask(
            keep.indexes[index],
            rule,
            ledger=keep.ledger,
            has_bytes=lambda file: keep.fetcher.stored(file) is not None,
        )
    finally:
        await keep.close(seconds=1)


def _print(found: "Explanation") -> None:
    print(f"{found.requirement} in index {found.index}: {found.says}")
    for source in found.sources:
        shadow = f"; {source.shadowed} files shadowed, the newest {source.newest_shadowed}" * bool(
            source.shadowed
        )
        print(f"  source {source.source}: {source.answer}{f' ({source.why})' if source.why else ''}{shadow}")
    if found.pin:
        print(f"  pinned: {found.pin}")
    for file in found.files:
        _print_file(file)
    for incident in found.incidents:
        print(
            f"  incident {incident['at']}: {incident['file']}: {incident['what']},"
            f" {incident['came']} came where {incident['stands']} stands"
        )


def _print_file(file: "FileSaid") -> None:
    marks = [
        mark
        for mark, is_so in (
            ("kept", file.kept),
            (_GONE.get(file.left or "", "gone at its origin"), file.gone),
        )
        if is_so
    ]
    if file.yanked is not None:
        marks.append(f"yanked{f': {file.yanked}' if file.yanked else ''}")
    if file.changed is not None:
        marks.append(f"its source now tells sha256 {file.changed}, which is not believed")
    print(
        f"{file.verdict:9} {file.filename}  from {file.source}{f'  [{chr(59).join(marks)}]' if marks else ''}"
    )
    for gate in file.gates:
        remedy = f"; {gate.remedy}" if gate.remedy and gate.outcome != "admitted" else ""
        waiver = f"; waiver {gate.waiver}" if gate.waiver else ""
        approval = f"; {gate.approval}" if gate.approval else ""
        print(f"            {gate.gate}: {gate.outcome}: {gate.sentence}{remedy}{waiver}{approval}")
