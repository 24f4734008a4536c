"""A .tar.gz that two readers could read differently is none here; every other one is."""

import gzip
import io
import os
import tarfile

import pytest

from wheelkeep.store import archives
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.tars import Entry, Unzipped, read_tar

END = bytes(1024)


def block(name: bytes = b"demo/a", kind: bytes = b"0", length: int = 0, **fields: bytes) -> bytes:
    """One header. ``fields``: whole fields by name, which may say anything; the checksum is right unless given."""
    told = {
        "name": name, "mode": b"0000644\0", "uid": b"0000000\0", "gid": b"0000000\0", "size": b"%011o\0" % length,
        "mtime": b"00000000000\0", "sum": b" " * 8, "kind": kind, "link": b"", "magic": b"ustar\0", "version": b"00",
        "user": b"", "group": b"", "major": b"", "minor": b"", "prefix": b"", "rest": b"",
    } | fields  # fmt: skip
    widths = (100, 8, 8, 8, 12, 12, 8, 1, 100, 6, 2, 32, 32, 8, 8, 155, 12)
    raw = b"".join(
        value.ljust(width, b"\0")[:width] for value, width in zip(told.values(), widths, strict=True)
    )
    if "sum" not in fields:
        raw = raw[:148] + b"%06o\0 " % sum(raw) + raw[156:]
    return raw


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def member(data: bytes = b"1", **told: bytes) -> bytes:
    return block(length=len(data), **told) + padded(data)


def extended(body: bytes, kind: bytes = b"x") -> bytes:
    return block(b"header", kind, len(body)) + padded(body)


def record(key: bytes, value: bytes) -> bytes:
    body = b" %s=%s\n" % (key, value)
    length = len(body) + 2
    while len(b"%d" % length) + len(body) != length:
        length += 1
    return b"%d" % length + body


def read(packed: bytes) -> list[tuple[Entry, bytes]]:
    stream = Unzipped(io.BytesIO(packed))
    return [(entry, stream.read(entry.size)) for entry in read_tar(stream)]


def entries(tar: bytes) -> list[Entry]:
    return [entry for entry, _ in read(gzip.compress(tar))]


def refused(packed: bytes) -> str:
    with pytest.raises(BadArchive) as caught:
        read(packed)
    (says,) = caught.value.problems
    return says


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_the_standard_library_writes(form: int) -> None:
    """Long names, long targets and large numbers of users take each format's own ways."""
    target = io.BytesIO()
    long = "demo-1.0/" + "/".join(["a-long-folder"] * (7 if form == tarfile.USTAR_FORMAT else 20)) + "/ü.py"
    data = os.urandom(100_000)
    with tarfile.open(fileobj=target, mode="w:gz", format=form) as archive:
        for name, kind, body in (("demo-1.0", tarfile.DIRTYPE, b""), (long, tarfile.REGTYPE, data)):
            told = tarfile.TarInfo(name)
            told.type, told.size, told.mtime, told.uid = kind, len(body), 1.5, 2_000_000
            archive.addfile(told, io.BytesIO(body))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            told = tarfile.TarInfo(f"demo-1.0/{kind.decode()}")
            told.type, told.linkname = kind, long if form != tarfile.USTAR_FORMAT else "demo-1.0/ü"
            archive.addfile(told)
    found = read(target.getvalue())
    # A part of a second is told beside it by one format alone, which rounds what is in the header itself.
    time = 2 if form == tarfile.PAX_FORMAT else 1
    assert found[0] == (Entry("demo-1.0", "folder", 0, time=time), b"")
    assert found[1] == (Entry(long, "file", len(data), time=time), data)
    assert [(entry.kind, entry.path) for entry, _ in found[2:]] == [
        ("link", "demo-1.0/2"),
        ("hardlink", "demo-1.0/1"),
    ]
    assert {entry.target for entry, _ in found[2:]} == {
        long if form != tarfile.USTAR_FORMAT else "demo-1.0/ü"
    }


def test_ordinary_headers() -> None:
    assert entries(member() + END) == [Entry("demo/a", "file", 1)]
    assert entries(member() + bytes(512)) == [Entry("demo/a", "file", 1)]
    assert entries(member() + bytes(20 * 512)) == [Entry("demo/a", "file", 1)]
    assert entries(block(b"demo/", b"5") + END) == [Entry("demo", "folder", 0)]
    assert entries(member(kind=b"\0", magic=b"", version=b"") + END) == [Entry("demo/a", "file", 1)]
    assert entries(member(prefix=b"long/way") + END) == [Entry("long/way/demo/a", "file", 1)]
    assert entries(extended(record(b"comment", b"0" * 40), b"g") + member() + END) == [
        Entry("demo/a", "file", 1)
    ]
    told = record(b"path", b"other") + record(b"mtime", b"1.5") + record(b"size", b"1")
    assert entries(extended(told) + member() + END) == [Entry("other", "file", 1)]
    assert entries(extended(b"long\0", b"L") + member() + END) == [Entry("long", "file", 1)]
    linked = extended(b"far\0", b"K") + block(kind=b"2", link=b"near") + END
    assert entries(linked) == [Entry("demo/a", "link", 0, "far")]


DATA = b"#!/bin/sh\n".ljust(512, b"\0")


@pytest.mark.parametrize(
    ("tar", "says"),
    [
        (b"", "it has no end mark"),
        (member(), "it has no end mark"),
        (member()[:700], "it is cut off"),
        (block(length=5000) + END, "it is cut off"),
        (member() + END + DATA, "data behind its end"),
        (member() + END + member(name=b"hidden") + END, "data behind its end"),
        (member() + bytes(512) + member(name=b"hidden") + END, "data behind its end"),
        (member() + bytes(2 * 1024**2), "data behind its end"),
        (b"garbage".ljust(512), "checksum is wrong"),
        (member(sum=b"0000001\0") + END, "checksum is wrong"),
        (member(sum=b"garbage\0") + END, "size is no number"),
        (member(size=b"\x80" + bytes(10) + b"\1") + END, "8 GiB and more"),
        (member(size=b"-1") + END, "size is no number"),
        (member(kind=b"3") + END, "neither file, folder nor link"),
        (member(kind=b"4") + END, "neither file, folder nor link"),
        (member(kind=b"6") + END, "neither file, folder nor link"),
        (member(kind=b"7") + END, "neither file, folder nor link"),
        (member(kind=b"S") + END, "neither file, folder nor link"),
        (member(kind=b"M") + END, "neither file, folder nor link"),
        (member(kind=b"V") + END, "neither file, folder nor link"),
        (member(kind=b"5") + END, "has bytes, and is no file"),
        (member(kind=b"2", link=b"a") + END, "has bytes, and is no file"),
        (member(kind=b"1", link=b"a") + END, "has bytes, and is no file"),
        (member(name=b"demo/") + END, "a folder by half"),
        (member(name=b"\xff") + END, "not UTF-8"),
        (member(magic=b"ustar ", version=b" \0", prefix=b"x") + END, "a header of no known format"),
        (member(magic=b"", version=b"", prefix=b"x") + END, "a header of no known format"),
        (extended(record(b"size", b"512")) + member() + END, "has two sizes"),
        (extended(record(b"size", b"01")) + member() + END, "has two sizes"),
        (
            extended(record(b"path", b"a") + record(b"path", b"b")) + member() + END,
            "readers understand differently",
        ),
        (extended(record(b"GNU.sparse.name", b"a")) + member() + END, "readers understand differently"),
        (extended(record(b"hdrcharset", b"BINARY")) + member() + END, "readers understand differently"),
        (extended(b"9 novalue\n"[:10]) + member() + END, "cannot be read"),
        (extended(b"99 path=a\n") + member() + END, "cannot be read"),
        (extended(b"3 \n") + member() + END, "readers understand differently"),
        (extended(b"path=a\n") + member() + END, "cannot be read"),
        (extended(record(b"path", b"a")) * 2 + member() + END, "two extended headers for one member"),
        (extended(record(b"path", b"a")) + extended(b"b\0", b"L") + member() + END, "two extended headers"),
        (extended(record(b"path", b"a")) + END, "belongs to no member"),
        (extended(record(b"path", b"a"), b"g") + member() + END, "gives all members one path"),
        (extended(b" " * (1024**2 + 1)) + member() + END, "extended header that is larger"),
        (block(b"header", b"x", 5000) + bytes(100), "it is cut off"),
    ],
)
def test_what_readers_of_tar_do_differently(tar: bytes, says: str) -> None:
    assert says in refused(gzip.compress(tar))


GOOD = gzip.compress(member() + END, mtime=0)


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (b"", "it is cut off"),
        (b"PK\x03\x04", "no gzip file"),
        (GOOD[:-4], "it is cut off"),
        (GOOD[:30], "it is cut off"),
        (GOOD + b"\0", "behind the end of its gzip stream"),
        (GOOD + GOOD, "behind the end of its gzip stream"),
        (GOOD + DATA * 1000, "behind the end of its gzip stream"),
        (GOOD[:-8] + b"\0\0\0\0" + GOOD[-4:], "no gzip file, or damaged"),
    ],
)
def test_a_gzip_stream_is_one_and_whole(packed: bytes, says: str) -> None:
    assert says in refused(packed)


def test_a_bomb_is_stopped_while_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "UNSUSPECTED", 1024**2)
    assert "more than 100 times its size" in refused(gzip.compress(member(bytes(8 * 1024**2)) + END))


def test_an_end_of_output_at_the_end_of_input() -> None:
    """Whatever the sizes: what waits inside the inflater is not forgotten."""
    for size in (256 * 1024 - 1536, 256 * 1024 - 512, 512 * 1024, 512 * 1024 - 1024 - 512):
        data = bytes(range(256)) * (size // 256)
        packed = gzip.compress(member(data) + END)
        assert read(packed)[0][1] == data


@pytest.mark.parametrize(
    "tar",
    [
        extended(record(b"mtime", b"nan")),
        extended(record(b"mtime", b"inf")),
        extended(record(b"mtime", b"1e400")),
        extended(record(b"mtime", b"9" * 13)),
        extended(record(b"uid", b"junk")),
        extended(record(b"gid", b"1" * 5000), b"g"),
        block(mtime=b"soon"),
        block(mode=b"rw-r--r--"),
        block(uid=b"\x7f"),
        block(major=b"x"),
        block(mtime=b"\x80" + b"\xff" * 11),
        block(b"header", b"x", 0, gid=b"junk"),
    ],
)
def test_numbers_at_which_some_readers_stop(tar: bytes) -> None:
    assert "no number" in refused(gzip.compress(member() + tar + member() + END))


@pytest.mark.parametrize(
    "tar",
    [
        extended(
            record(b"mtime", b"1580601600.123456789") + record(b"uid", b"3000000") + record(b"gid", b"-2")
        ),
        extended(record(b"mtime", b"-1.5") + record(b"atime", b"nan") + record(b"comment", b"x")),
        b"",
    ],
)
def test_numbers_that_tools_write(tar: bytes) -> None:
    numbers = {"uid": b"\x80" + (3_000_000).to_bytes(7), "mtime": b"\xff" * 12, "mode": b"   644 \0"}
    assert len(entries(tar + block(length=1, **numbers) + padded(b"1") + END)) == 1
