"""Bundles made in memory, true or wicked: what a test does not name is as a keep would write it."""

import hashlib
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from fakes.made import NOW
from wheelkeep.core import merkle, names
from wheelkeep.core.bundle import (
    BLOBS,
    DOCUMENTS,
    END,
    FORMAT,
    NOTE,
    Base,
    Blob,
    Document,
    End,
    Head,
    SourceKind,
    State,
    Told,
    header,
    note_text,
    padding,
    write_line,
    written,
)
from wheelkeep.core.bundle_page import write_page, write_state
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.notes import PLAIN, Note, PrivateKey

KEY = PrivateKey("near.example/log", PLAIN, bytes(range(32)))
OTHER = PrivateKey("other.example/log", PLAIN, bytes(32))
EMPTY = Checkpoint(KEY.public.name, 0, merkle.EMPTY)


def checkpoint(key: PrivateKey = KEY) -> str:
    text = str(replace(EMPTY, origin=key.public.name))
    return str(Note(text).signed(key.sign(text)))


def head(key: PrivateKey = KEY, *, base: str | None = None) -> Head:
    since = Base(name=base, number=1, at=written(NOW)) if base is not None else None
    return Head(
        format=FORMAT, wheelkeep="1", made=written(NOW), index="main", base=since, checkpoint=checkpoint(key)
    )


def file_of(filename: str, content: bytes, *, source: str = "acme", **told: object) -> File:
    owner = names.owner_of(filename)
    assert owner is not None
    read = names.filename(filename, owner)
    file = File(
        filename=filename,
        project=owner,
        kind=read.kind,
        version=read.version,
        source=SourceName(source),
        url=filename if source == "acme" else f"https://files.upstream.example/{filename}",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        upload_time="2026-11-01T00:00:00.000000Z",
        first_seen=NOW,
    )
    return replace(file, **told)


def document(
    *files: File,
    source: str = "acme",
    kind: SourceKind = "hosted",
    states: Mapping[str, State] | None = None,
    used: tuple[str, ...] = (),
) -> Document:
    return Document(
        source=source,
        kind=kind,
        project=files[0].project,
        checked=written(NOW),
        page=write_page(files, None, files[0].project),
        states=states if states is not None else {file.filename: write_state(file, None) for file in files},
        used=used,
    )


def lines_of(
    documents: Sequence[Document], contents: Sequence[bytes], first: Head | None = None
) -> list[Told]:
    blobs = sorted({hashlib.sha256(content).hexdigest(): len(content) for content in contents}.items())
    told = [Blob(sha256=sha256, size=size) for sha256, size in blobs]
    listed = sum(len(one.states) for one in documents)
    end = End(projects=len(documents), files=listed, blobs=len(told), bytes=sum(size for _, size in blobs))
    return [first or head(), *documents, *told, end]


def whole(lines: Sequence[Told], contents: Sequence[bytes], key: PrivateKey = KEY) -> bytes:
    """The file of a bundle, its files in the order of their hashes."""
    body = b"".join(map(write_line, lines))
    text = note_text(key.public, hashlib.sha256(body).hexdigest(), len(body))
    note = str(Note(text).signed(key.sign(text))).encode()
    members = [(NOTE, note), (DOCUMENTS, body)]
    hashed = {hashlib.sha256(content).hexdigest(): content for content in contents}
    members += [(f"{BLOBS}{sha256}", content) for sha256, content in sorted(hashed.items())]
    parts = [header(name, len(part)) + part + padding(len(part)) for name, part in members]
    return b"".join([*parts, END])


def bundle_of(files: Mapping[str, bytes], key: PrivateKey = KEY, **told: object) -> bytes:
    """A bundle of these files, of one project of the hosted source ``acme``."""
    found = [file_of(name, content, **told) for name, content in files.items()]
    return whole(lines_of([document(*found)], list(files.values()), head(key)), list(files.values()), key)
