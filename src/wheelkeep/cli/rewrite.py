"""``lock rewrite``: a lock that another tool wrote, with the addresses of an index here."""

import re
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.setup import Json, base_url, choose_index
from wheelkeep.core.lock import LockFormat
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.places import read_remote_url
from wheelkeep.core.rewrite_lock import rewrite_lock
from wheelkeep.core.rewritten import Address
from wheelkeep.index.policies import read_whole
from wheelkeep.logs import quiet
from wheelkeep.store.text_file import TextFile, write_text

_PAST = re.compile(r"@[A-Za-z0-9._:+~-]{1,80}", re.ASCII)


class RewrittenLock(Struct, frozen=True, kw_only=True):
    """What ``lock rewrite --json`` prints."""

    file: str
    format: LockFormat
    to: str
    """The address of the index's pages."""
    changed: int
    left: tuple[str, ...]


def rewrite(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="uv.lock, poetry.lock, pylock.toml, pdm.lock, Pipfile.lock or requirements."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="INDEX",
            help="An index, also as main@2026-11-01 or main@SNAPSHOT; or its address elsewhere.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here; else in place.")
    ] = None,
    json: Json = False,
) -> None:
    """Put the addresses of an index into a lock file; hashes, order and comments stay. Exit 2 for what is no lock."""
    quiet()
    address = _address(context.obj, to)
    lock = read_lock(str(file), read_whole)
    there = TextFile(file)
    done = rewrite_lock(lock, there.text, address, project=_project(file))
    if output is not None and output != file:
        write_text(output, done.text)
    elif done.text != there.text:
        there.replace(done.text)
    written = str(output or file)
    for one in done.left:
        print(f"wheelkeep: {one}", file=sys.stderr)
    if lock.format == "poetry.lock":
        says = f'poetry wants a source "wheelkeep" in pyproject.toml, as client poetry prints it: {address.simple}'
        print(f"wheelkeep: {says}", file=sys.stderr)
    if json:
        print_json(
            RewrittenLock(
                file=written, format=lock.format, to=address.simple, changed=done.changed, left=done.left
            )
        )
    else:
        print(f"{written}: {done.changed} address{'es' * (done.changed != 1)} changed to {address.base}/")


def _address(config: Path | None, to: str) -> Address:
    """Where an index is, by its name here or by an address; raises BadParameter."""
    if "://" in to:
        try:
            return Address(read_remote_url(to).rstrip("/").removesuffix("/simple"))
        except ValueError as error:
            raise typer.BadParameter(f"--to {error}") from None
    name, past, when = to.partition("@")
    settings = configuration.load(config)
    chosen = choose_index(settings, name)
    if past and not _PAST.fullmatch(f"@{when}"):
        raise typer.BadParameter(f"{when!r} is neither a date nor the name of a snapshot")
    return Address(f"{base_url(settings)}/{chosen}{past}{when}")


def _project(file: Path) -> dict[str, Any] | None:
    """The ``pyproject.toml`` beside a lock, where there is one that can be read."""
    try:
        return tomllib.loads((file.parent / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
