"""Targets: what other logs and other keeps say: signed notes, tiles, the lists of backups, and bundles."""

import contextlib
import io

from wheelkeep.core.bundle import Document, NotABundle, read_lines, read_signed, write_line
from wheelkeep.core.bundle_page import read_project, write_page, write_state
from wheelkeep.core.checkpoint import Checkpoint, read_checkpoint
from wheelkeep.core.log_entries import read_entry, write_entry
from wheelkeep.core.manifest import NotABackup, read
from wheelkeep.core.names import filename
from wheelkeep.core.notes import PublicKey, read_key, read_note
from wheelkeep.core.tiles import bundle, read_tile, split, unbundle
from wheelkeep.store.bundle_file import BundleFile


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


def bundle_file(body: bytes) -> None:
    """A bundle up to its list: what was not signed so is not read."""
    reader, documents = BundleFile(io.BytesIO(body)), io.BytesIO()
    try:
        signed = read_signed(reader.note())
        reader.documents(signed.sha256, signed.size, documents)
    except NotABundle:
        return
    assert documents.tell() == signed.size <= len(body)


def bundle_documents(body: bytes) -> None:
    """What a bundle says; a project that is read is written and read the same, and no name in it is a path."""
    try:
        for line in read_lines(body.splitlines(keepends=True)):
            if isinstance(line, Document):
                _as_written(line)
    except NotABundle:
        return


def _as_written(document: Document) -> None:
    project = read_project(document, Checkpoint("keep.example/log", 0, bytes(32)))
    for name in (*project.used, *(file.filename for file in project.files)):
        assert "/" not in name and "\0" not in name and name not in ("", ".", "..")
    for file in project.files:
        assert filename(file.filename, project.project).version == file.version
    again = Document(
        source=document.source,
        kind=document.kind,
        project=document.project,
        checked=document.checked,
        page=write_page(project.files, project.status, project.project),
        states={file.filename: write_state(file, None) for file in project.files},
    )
    assert write_line(again)
    assert read_project(again, Checkpoint("keep.example/log", 0, bytes(32))).files == project.files
