"""Targets: archives, upload forms and packed bodies."""

import asyncio
import contextlib
import gzip
import io
import os
import tarfile
import tempfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

from wheelkeep.core.errors import Unanswered
from wheelkeep.core.names import ProjectName
from wheelkeep.core.said import cleaned
from wheelkeep.sources.decode import ALLOWANCE, RATIO, Decoder
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.left_files import LeftFiles, Unfit
from wheelkeep.store.sdists import read_info, read_sdist
from wheelkeep.store.wheel_metadata import NoMetadata, Pieces, read_metadata
from wheelkeep.store.wheels import read_wheel
from wheelkeep.web.form import Form, FormError, FormTooLargeError, read_form

DEMO = ProjectName("demo")
BOUNDARY = "xYzZY"
_PLACE = Path(tempfile.gettempdir(), f"fuzz-{os.getpid()}.part")


def wheel(body: bytes) -> None:
    """An uploaded wheel: what is taken reads the same to zipfile, and to whoever reads a cached one."""
    _PLACE.write_bytes(body)
    try:
        contents = read_wheel(_PLACE, DEMO, "1.0")
    except BadArchive as error:
        assert error.problems
        return
    finally:
        _PLACE.unlink()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        assert archive.read("demo-1.0.dist-info/METADATA") == contents.metadata
    assert read_metadata(io.BytesIO(body)) == contents.metadata


def cached_wheel(body: bytes) -> None:
    """A cached wheel, read whole and in pieces for its METADATA."""
    try:
        whole: bytes | None = read_metadata(io.BytesIO(body))
    except NoMetadata:
        whole = None
    pieces = Pieces(len(body))
    pieces.add(0, body)
    try:
        assert read_metadata(pieces) == whole
    except NoMetadata:
        assert whole is None


def sdist(body: bytes) -> None:
    """An uploaded sdist below its gzip layer, whose checksum would find nearly everything."""
    _sdist(gzip.compress(body, 1, mtime=0), body)


def packed_sdist(body: bytes) -> None:
    """An uploaded sdist as it comes."""
    _sdist(body, None)


def _sdist(packed: bytes, unpacked: bytes | None) -> None:
    try:
        read_info(io.BytesIO(packed))
    except BadArchive as error:
        assert error.problems
    _PLACE.write_bytes(packed)
    try:
        contents = read_sdist(_PLACE, DEMO, "1.0")
    except BadArchive as error:
        assert error.problems
        return
    finally:
        _PLACE.unlink()
    with tarfile.open(
        fileobj=io.BytesIO(unpacked if unpacked is not None else gzip.decompress(packed))
    ) as archive:
        members = archive.getmembers()
        for member in members:
            # What pip and uv would unpack stays in its place.
            tarfile.data_filter(member, "/nowhere")
            assert member.name == "demo-1.0" or member.name.startswith("demo-1.0/")
        last = [member for member in members if member.name == "demo-1.0/PKG-INFO"]
        assert len(last) == 1
        told = archive.extractfile(last[0])
        assert told is not None and told.read() == contents.metadata


class _Taken:
    def __init__(self) -> None:
        self.came = b""

    async def push(self, piece: bytes) -> None:
        self.came += piece


async def _read(pieces: list[bytes]) -> object:
    taken = _Taken()

    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def begin(_form: Form) -> _Taken:
        return taken

    try:
        form = await read_form(f"multipart/form-data; boundary={BOUNDARY}", chunks(), begin)
    except (FormError, FormTooLargeError):
        return None
    return form.fields, form.filename, taken.came


def form(body: bytes) -> None:
    """An upload's form, which means the same in whatever pieces it comes."""
    whole = asyncio.run(_read([body]))
    small = asyncio.run(_read([body[at : at + 7] for at in range(0, len(body), 7)]))
    assert small == whole


def packed_page(body: bytes) -> None:
    """A packed answer, in whatever pieces it comes."""
    for encoding in ("gzip", "deflate"):
        whole, small = _unpacked(encoding, [body]), _unpacked(encoding, [body[:9], body[9:20], body[20:]])
        assert small == whole or None in (small, whole)
        assert whole is None or len(whole) <= RATIO * len(body) + ALLOWANCE


def _unpacked(encoding: str, pieces: list[bytes]) -> bytes | None:
    try:
        decoder = Decoder(encoding, packed=1 << 20, unpacked=8 << 20)
        out = b"".join(decoder.feed(piece) for piece in pieces)
        decoder.finish()
    except Unanswered:
        return None
    return out


def left_files(body: bytes) -> None:
    """What a build hands over, in whatever pieces it comes: plain files in their folder, and never too much of them."""
    assert _left([body]) == _left([body[at : at + 5] for at in range(0, len(body), 5)])


def _left(pieces: list[bytes]) -> tuple[int | None, dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        left = LeftFiles(out, 2000)
        with contextlib.suppress(Unfit):
            for piece in pieces:
                left.feed(piece)
        left.close()
        taken = {file.name: file.read_bytes() for file in left.files}
        assert [path.name for path in Path(folder).iterdir()] == ["out"]
        assert {path.name for path in out.iterdir()} == set(taken)
        assert sum(map(len, taken.values())) <= 2000
        return left.code, taken


def said(body: bytes) -> None:
    """What a build printed: nothing of it is obeyed by a terminal, and to clean it twice changes nothing."""
    text = cleaned(body)
    assert all(letter.isprintable() or letter in "\n\t" for letter in text)
    assert cleaned(text.encode()) == text
