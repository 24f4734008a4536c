"""``log``: proofs that a file is in the transparency log, and the log verified from inside and from outside."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from wheelkeep import configuration
from wheelkeep.cli.log_words import told_audit, told_check, told_leaf
from wheelkeep.cli.output import print_json
from wheelkeep.cli.setup import Json
from wheelkeep.core.errors import Unanswered, WheelkeepError
from wheelkeep.core.notes import PublicKey, read_key
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.keep import Keep
    from wheelkeep.index.log_book import LogBook, Proof
    from wheelkeep.index.log_verify import Verified
    from wheelkeep.sources.log_reader import LogReader
    from wheelkeep.store.leaves import Leaf

app = typer.Typer(no_args_is_help=True, help="Prove, verify and witness the transparency log.")
TOKEN_VARIABLE = "WHEELKEEP_TOKEN"  # noqa: S105 - a name
_Url = Annotated[str, typer.Argument(metavar="URL", help="The other keep's address.")]
_Key = Annotated[
    str | None, typer.Option("--key", metavar="KEY", help="The log's public key, in the form of /log/key.")
]
_T = TypeVar("_T")


@app.command("prove")
def prove(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file's name, or a path to its bytes.")],
    source: Annotated[str | None, typer.Option(help="Only as this source had it.")] = None,
    json: Json = False,
) -> None:
    """Prove that a file is in the log: its entry, its place, and hashes up to a signed checkpoint. Exit 1 if not."""
    quiet()
    settings = configuration.load(context.obj)
    if source is not None and source not in settings.sources:
        raise typer.BadParameter(f'no source is called "{source[:80]}"', param_hint="--source")

    async def run(keep: "Keep") -> "list[tuple[Leaf, Proof]]":
        found = [leaf for leaf in await _leaves(keep.log, file) if source in (None, _source(leaf))]
        return [(leaf, await _proof(keep.log, leaf)) for leaf in found]

    proofs = asyncio.run(_with_keep(settings, run))
    if json:
        print_json({"file": file, "proofs": [proof for _, proof in proofs]})
    for leaf, proof in proofs if not json else ():
        print(told_leaf(leaf, proof))
    if not proofs:
        print(f"wheelkeep: {file} is not in the log", file=sys.stderr)
        raise typer.Exit(1)


@app.command("verify")
def verify(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="Another keep, from outside; else this one.")
    ] = None,
    key: _Key = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where is kept what the log last said.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify what `prove --json` printed, offline.")
    ] = None,
    json: Json = False,
) -> None:
    """Verify every entry, chain, hash and signature. Exit 1 if anything was changed, removed or forked."""
    quiet()
    if url is not None and proof is not None:
        raise typer.BadParameter("a proof is verified without asking anybody: leave out the URL or --proof")
    if url is None and (state is not None or (key is not None and proof is None)):
        raise typer.BadParameter("--key and --state go with the URL of another keep")
    if proof is not None:
        good = _verify_proof(proof, _key(key), json=json)
    elif url is not None:
        good = _verify_url(url, _key(key), state, json=json)
    else:
        good = _verify_inside(configuration.load(context.obj), json=json)
    raise typer.Exit(0 if good else 1)


@app.command("witness")
def witness(context: typer.Context, url: _Url, key: _Key = None, json: Json = False) -> None:
    """Verify another keep's log, cosign its checkpoint and bring it the cosignature. Exit 1 on a fork or a rollback."""
    quiet()
    settings, given = configuration.load(context.obj), _key(key)
    reader = _reader(url)

    async def run(keep: "Keep") -> dict[str, Any]:
        from wheelkeep.index.witness import witness

        try:
            told = await witness(keep.log, reader, given)
        finally:
            await reader.close()
        return {
            **told_audit(told.verified),
            "witness": told.key or None,
            "cosigned": bool(told.note),
            "delivered": told.delivered,
            "says": told.says,
            "note": told.note or None,
        }

    found = _asked(url, lambda: _with_keep(settings, run))
    if json:
        print_json(found)
    else:
        _print_audit(found)
        if found["cosigned"]:
            print(f"cosigned by {found['witness']}")
            print("delivered to the log" if found["delivered"] else f"not delivered: {found['says']}")
    raise typer.Exit(0 if found["cosigned"] else 1)


async def _leaves(book: "LogBook", file: str) -> "list[Leaf]":
    from wheelkeep.store.hashing import hash_file

    try:
        sha256, _ = await asyncio.to_thread(hash_file, Path(file))
    except OSError:
        return await book.leaves.of_file(file)
    return await book.leaves.of_sha256(sha256)


def _source(leaf: "Leaf") -> str | None:
    return getattr(leaf.entry, "source", None)


async def _proof(book: "LogBook", leaf: "Leaf") -> "Proof":
    """The proof, as soon as the log covers the entry."""
    if (found := await book.prove(leaf)) is None:
        await book.settled()
        found = await book.prove(leaf)
    assert found is not None
    return found


async def _with_keep(settings: Settings, use: "Callable[[Keep], Awaitable[_T]]") -> _T:
    from wheelkeep import compose

    keep = compose.build(settings)
    try:
        return await use(keep)
    finally:
        await keep.close(seconds=1)


def _verify_inside(settings: Settings, *, json: bool) -> bool:
    from wheelkeep.index.log_check import LogCheck, check

    async def run(keep: "Keep") -> LogCheck:
        state = LogCheck()
        async for state in check(keep):
            if sys.stderr.isatty():
                print(f"\r{state.ledger + state.fetches + state.leaves} lines", end="", file=sys.stderr)
        return state

    found = asyncio.run(_with_keep(settings, run))
    told = told_check(found)
    if json:
        print_json(told)
        return found.good
    for finding in found.findings:
        print(f"{finding.book}: {finding.says}")
    signed = f"the checkpoint of {told['size']} entries" if found.checkpoint is not None else "no log yet"
    print(
        f"{found.ledger} lines of the ledger, {found.fetches} of the book of fetches, {found.leaves} entries "
        f"of the log, {found.files} files; {signed}; {len(found.findings)} findings"
    )
    return found.good


def _verify_url(url: str, key: PublicKey | None, path: Path | None, *, json: bool) -> bool:
    from wheelkeep.index.log_verify import verify as verify_log
    from wheelkeep.store.log_state import LogState

    reader = _reader(url)
    state = LogState(path) if path is not None else LogState.of(reader.url)

    async def run() -> dict[str, Any]:
        found: Verified | None = None
        try:
            async for found in verify_log(reader, state, key):
                if sys.stderr.isatty():
                    print(f"\r{found.audit.leaves} entries", end="", file=sys.stderr)
        finally:
            await reader.close()
        assert found is not None
        return told_audit(found)

    found = _asked(url, run)
    if json:
        print_json(found)
    else:
        _print_audit(found)
    return bool(found["good"])


def _verify_proof(path: Path, key: PublicKey | None, *, json: bool) -> bool:
    from wheelkeep.index.log_proof import read_proofs, verify_proof

    try:
        proofs = read_proofs(path.read_bytes())
    except OSError as error:
        raise WheelkeepError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise WheelkeepError(f"{path}: {error}") from None
    told = [verify_proof(proof, key) for proof in proofs]
    if json:
        print_json({"proofs": told})
    for one in told if not json else ():
        print(f"{one.entry}\n    {one.says}")
    if key is None:
        print("wheelkeep: the key is the proof's own word: give the log's with --key", file=sys.stderr)
    return bool(told) and all(one.good for one in told)


def _asked(url: str, run: Callable[[], Awaitable[_T]]) -> _T:
    async def running() -> _T:
        return await run()

    try:
        return asyncio.run(running())
    except Unanswered as error:
        print(f"wheelkeep: the log at {url} could not be verified: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def _print_audit(found: dict[str, Any]) -> None:
    if found["on_trust"] and found["good"]:
        print(f"wheelkeep: its key is trusted from now on, on its own word: {found['key']}", file=sys.stderr)
    for flaw in found["flaws"]:
        print(f"{flaw['what']}: {flaw['says']}")
    if found["good"]:
        entries = "entries not readable" if found["refused"] else f"{found['entries']} entries read"
        before = f", which continues the {found['before']} seen before" if found["before"] is not None else ""
        print(f"{found['origin']}: a true log of {found['size']} entries{before}; {entries}")


def _reader(url: str) -> "LogReader":
    from wheelkeep.sources.log_reader import LogReader

    try:
        return LogReader(url, token=os.environ.get(TOKEN_VARIABLE))
    except ValueError as error:
        raise typer.BadParameter(f"{url[:200]!r}: {error}", param_hint="URL") from None


def _key(text: str | None) -> PublicKey | None:
    try:
        return read_key(text) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"--key {error}") from None
