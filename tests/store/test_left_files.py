import os
import struct
from pathlib import Path

import pytest

from wheelkeep.core.errors import Unwritable
from wheelkeep.store.left_files import LeftFiles, Unfit


def told(name: bytes, body: bytes, *, size: int | None = None) -> bytes:
    """One file as it is handed over."""
    return (
        b"F"
        + struct.pack(">H", len(name))
        + name
        + struct.pack(">Q", len(body) if size is None else size)
        + body
    )


def ended(code: int = 0) -> bytes:
    return b"E" + struct.pack(">i", code)


def read(folder: Path, *pieces: bytes, most: int = 1000) -> LeftFiles:
    left = LeftFiles(folder, most)
    try:
        for piece in pieces:
            left.feed(piece)
    finally:
        left.close()
    return left


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_files_come_as_they_were(tmp_path: Path, step: int) -> None:
    body = ended() + told(b"b-1.0.tar.gz", b"") + told(b"a+1!_-1.0.whl", b"x" * 500) + b"."
    left = read(tmp_path, *(body[at : at + step] for at in range(0, len(body), step)))
    assert left.whole
    assert left.code == 0
    assert [file.name for file in left.files] == ["a+1!_-1.0.whl", "b-1.0.tar.gz"]
    assert left.files[0].read_bytes() == b"x" * 500


def test_a_signal_is_told(tmp_path: Path) -> None:
    assert read(tmp_path, ended(-9) + b".").code == -9


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"?", "did not say how it ended"),
        (ended() + b"?", "not a list of files"),
        (ended() + told(b"../x", b""), "'../x', which is not plain"),
        (ended() + told(b"", b""), "'', which is not plain"),
        (ended() + told(b".x", b""), "not plain"),
        (ended() + told(b"a/b", b""), "not plain"),
        (ended() + told(b"a\nb", b""), r"'a\\nb', which is not plain"),
        (ended() + told(b"a\xff", b""), "not plain"),
        (ended() + told(b"a" * 201, b""), "not plain"),
        (ended() + told(b"x", b"", size=1001), "more than 1000 bytes of files"),
        (ended() + told(b"x", b"", size=2**64 - 1), "more than 1000 bytes"),
        (ended() + told(b"x", b"a" * 600) + told(b"y", b"a" * 600), "more than 1000 bytes"),
        (ended() + told(b"x", b"") * 2, "two files with the name x"),
        (ended() + b"".join(told(b"x%d" % at, b"") for at in range(65)), "more than 64 files"),
        (ended() + b"X" + struct.pack(">H", 3) + b"\x1b[m", r"'\\x1b\[m', which is no plain file"),
        (ended() + b"..", "went on after"),
    ],
)
def test_what_is_not_taken(tmp_path: Path, body: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        read(tmp_path, body)
    assert not list(tmp_path.iterdir())


def test_what_is_cut_short_leaves_nothing(tmp_path: Path) -> None:
    left = read(tmp_path, ended() + told(b"x", b"abc") + told(b"y", b"abc", size=900))
    assert (left.whole, left.files) == (False, ())
    assert not list(tmp_path.iterdir())


def test_what_is_not_wanted_after_all_is_removed(tmp_path: Path) -> None:
    left = read(tmp_path, ended(1) + told(b"x", b"abc") + b".")
    left.close(keep=False)
    left.close()
    assert (left.code, left.files, list(tmp_path.iterdir())) == (1, (), [])


def test_nothing_that_is_there_is_written_over_or_followed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unfit, match="two files"):
        read(out, ended() + told(b"x", b"abc") + b".")
    assert not (tmp_path / "elsewhere").exists()


def test_our_own_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(Unwritable, match="No space left"):
        read(tmp_path, ended() + told(b"x", b"abc"))
