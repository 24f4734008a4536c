"""``lock``: what requirements come to through an index, as hashed requirements or ``pylock.toml``.

``lock rewrite`` is a command of its own, in ``rewrite``.
"""

import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from msgspec import Struct
from packaging.requirements import Requirement
from typer.core import TyperGroup

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.rewrite import rewrite
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.names import IndexName
from wheelkeep.core.past import read_moment
from wheelkeep.core.requirement_files import Wanted, read_wanted
from wheelkeep.core.settings import Settings
from wheelkeep.index.policies import read_whole
from wheelkeep.logs import quiet
from wheelkeep.store.text_file import write_text

if TYPE_CHECKING:
    from wheelkeep.index.locking import Locking

Form = Literal["requirements.txt", "pylock.toml"]
_PYLOCK = re.compile(r"pylock\.(?:[^.]+\.)?toml")
"""What PEP 751 has such a file be called."""


_PLAIN = "REQUIREMENT…"
"""What ``lock`` does without a word of its own; the help shows it under this name, which is no requirement."""


class _Words(TyperGroup):
    """``lock`` with requirements or options is one command, ``lock rewrite`` another."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_PLAIN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Words,
    help="Lock what requirements come to, or rewrite a lock file."
    " The options of the first are shown by: wheelkeep lock NAME --help",
)


class Line(Struct, frozen=True, kw_only=True):
    """One version that was locked."""

    name: str
    version: str
    marker: str
    via: tuple[str, ...]
    files: tuple[str, ...]


class Written(Struct, frozen=True, kw_only=True):
    """What ``lock --json`` prints."""

    index: str
    format: Form
    file: str | None
    """Where it was written; None: nowhere, and ``text`` has it."""
    python: str
    locked: tuple[Line, ...]
    uncertain: tuple[str, ...]
    text: str | None = None


@app.command(_PLAIN)
def lock(
    context: typer.Context,
    requirements: Annotated[
        list[str] | None,
        typer.Argument(metavar="REQUIREMENT…", help='Names, or requirements such as "django>=5,<6".'),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("-r", "--requirement", help="A file of requirements; may be given again."),
    ] = None,
    constraint: Annotated[
        list[Path] | None,
        typer.Option("-c", "--constraint", help="A file of constraints; may be given again."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write; else standard output.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="requirements.txt|pylock.toml", help="Else as -o is called."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.11,3.13", help="The Pythons in use; the oldest counts.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="As the index was: 2026-11-01, or an RFC 3339 moment.")
    ] = None,
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    json: Json = False,
) -> None:
    """Resolve requirements through an index, for all platforms, and lock every file that may come in by its hash.

    Exit 1 if they cannot be resolved.
    """
    quiet()
    from wheelkeep.cli.resolving import oldest_of, wanted_one

    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    format_ = _addressed(_format(form, output), settings)
    said = [str(wanted_one(one)) for one in requirements or ()]
    read = read_wanted(
        [str(one) for one in file or ()], read_whole, constraints=[str(one) for one in constraint or ()]
    )
    wanted = Wanted(requirements=(*said, *read.requirements), constraints=read.constraints)
    if not wanted.requirements and not file:
        raise typer.BadParameter("say what is to be locked: requirements, or -r FILE")
    oldest = oldest_of(python) if python is not None else None
    found = _found(settings, chosen, wanted, oldest, _moment(at))
    text = _text(settings, chosen, found, format_, at)
    if output is not None:
        write_text(output, text)
    if json:
        print_json(_written(found, chosen, format_, output, text))
    elif output is None:
        print(text, end="")
    else:
        _tell(found, output)


app.command("rewrite")(rewrite)


def _tell(found: "Locking", output: Path) -> None:
    count = len(found.choices)
    words = f"{output}: {count} version{'s' * (count != 1)}, for Python {found.python} and newer"
    print(words, file=sys.stderr)


def _format(form: str | None, output: Path | None) -> Form:
    if form is None:
        named = output is not None and _PYLOCK.fullmatch(output.name) is not None
        return "pylock.toml" if named else "requirements.txt"
    if form not in ("requirements.txt", "pylock.toml"):
        raise typer.BadParameter(f'--format "{form[:40]}" is neither requirements.txt nor pylock.toml')
    return "pylock.toml" if form == "pylock.toml" else "requirements.txt"


def _moment(at: str | None) -> str | None:
    """``--at``, held against what is a date before a data folder is opened. Raises BadParameter."""
    if at is not None:
        try:
            read_moment(at, datetime.now(UTC))
        except ValueError as error:
            raise typer.BadParameter(f"--at {error}") from None
    return at


def _found(
    settings: Settings, index: IndexName, wanted: Wanted, oldest: str | None, at: str | None
) -> "Locking":
    """Raises Exit (1) where there is no answer."""
    from wheelkeep.core.errors import Unanswered
    from wheelkeep.index.locking import Unlockable
    from wheelkeep.index.uv import Unresolvable, find_uv

    uv = find_uv()
    try:
        found = asyncio.run(_locked(settings, index, wanted, uv, (oldest, at)))
    except (Unresolvable, Unlockable, Unanswered) as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    for unread in found.unread:
        says = f"{unread.name} {unread.version}: what it needs is not certain: {unread.why}"
        print(f"wheelkeep: {says}", file=sys.stderr)
    for name in found.unhashed:
        print(f"wheelkeep: {name} is left out: its page tells no hash", file=sys.stderr)
    return found


async def _locked(
    settings: Settings, index: IndexName, wanted: Wanted, uv: str, when: tuple[str | None, str | None]
) -> "Locking":
    oldest, at = when
    from wheelkeep import compose
    from wheelkeep.cli.resolving import resolved_over
    from wheelkeep.index.candidates import Candidates
    from wheelkeep.index.closure import oldest_python
    from wheelkeep.index.locking import named

    keep = compose.build(settings)
    await keep.start()
    try:
        asked = keep.indexes[index]
        if at is not None:
            asked = await keep.views.find(asked, at)
        candidates = Candidates(keep, asked, listed=True)
        requirements = [Requirement(one) for one in wanted.requirements]
        python = oldest or await oldest_python(candidates, requirements)
        resolved = await resolved_over(
            candidates, requirements, uv, python=python, name=index, constraints=wanted.constraints
        )
        return await named(candidates, resolved, python=python)
    finally:
        await keep.close(seconds=1)


def _addressed(form: Form, settings: Settings) -> Form:
    """The form, if what it needs is known: ``pylock.toml`` has an address of every file (PEP 751)."""
    if form == "pylock.toml" and settings.public_url is None and settings.port == 0:
        raise typer.BadParameter(
            "pylock.toml has the address of every file in it, and listen has port 0, which is any: set public_url, "
            "or give --format requirements.txt"
        )
    return form


def _text(settings: Settings, index: IndexName, found: "Locking", form: Form, at: str | None) -> str:
    from wheelkeep.core.write_lock import write_pylock, write_requirements
    from wheelkeep.web import urls

    if form == "requirements.txt":
        return write_requirements(found.choices, head=[_head(found, at)])
    base = f"{urls.base(settings)}/{index}"
    return write_pylock(
        found.choices,
        python=found.python,
        simple=f"{base}/simple/",
        address=lambda file: urls.file(f"{base}/files/", file.project, file.sha256, file.filename),
    )


def _head(found: "Locking", at: str | None) -> str:
    as_of = f", as of {at}" if at is not None else ""
    return f"for Python {found.python} and newer{as_of}, by wheelkeep lock"


def _written(found: "Locking", index: IndexName, form: Form, output: Path | None, text: str) -> Written:
    return Written(
        index=index,
        format=form,
        file=str(output) if output is not None else None,
        python=found.python,
        locked=tuple(
            Line(
                name=one.project,
                version=one.version,
                marker=one.marker,
                via=one.via,
                files=tuple(file.filename for file in one.files),
            )
            for one in found.choices
        ),
        uncertain=tuple(f"{one.name} {one.version}: {one.why}" for one in found.unread),
        text=text if output is None else None,
    )
