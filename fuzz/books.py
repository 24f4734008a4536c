"""Targets: what other logs and other keeps say: signed notes, tiles, and the lists of backups."""

import contextlib

from wheelkeep.core.checkpoint import read_checkpoint
from wheelkeep.core.log_entries import read_entry, write_entry
from wheelkeep.core.manifest import NotABackup, read
from wheelkeep.core.notes import PublicKey, read_key, read_note
from wheelkeep.core.tiles import bundle, read_tile, split, unbundle


def log_note(body: bytes) -> None:
    """A checkpoint as another log signed it, and a key in its first line; what is read is written the same."""
    text = body.decode("utf-8", "replace")
    key = _key(text.partition("\n")[0])
    try:
        note = read_note(text)
    except ValueError:
        return
    assert str(note) == text
    if key is not None:
        with contextlib.suppress(ValueError):
            note.of(key)
    try:
        checkpoint = read_checkpoint(note.text)
    except ValueError:
        return
    assert note.text.startswith(str(checkpoint))
    assert checkpoint.size >= 0 and len(checkpoint.root) == 32


def _key(line: str) -> PublicKey | None:
    try:
        key = read_key(line)
    except ValueError:
        return None
    assert read_key(str(key)) == key
    return key


def log_tiles(body: bytes) -> None:
    """An address of a tile, hashes, and entries: one spelling each."""
    if (tile := read_tile(body.decode("latin-1"))) is not None:
        assert tile.path.encode() == body
    with contextlib.suppress(ValueError):
        assert b"".join(split(body)) == body
    try:
        entries = unbundle(body)
    except ValueError:
        entries = [body]
    else:
        assert bundle(entries) == body
    for entry in entries:
        try:
            read_again = write_entry(read_entry(entry))
        except ValueError:
            continue
        assert read_entry(read_again) == read_entry(entry)


def backup_list(body: bytes) -> None:
    """The list of a backup: what it names leads nowhere else."""
    try:
        for entry in read(body.splitlines(keepends=True)):
            path = str(getattr(entry, "path", "x"))
            assert not path.startswith("/") and ".." not in path.split("/") and "\0" not in path
    except NotABackup:
        return
