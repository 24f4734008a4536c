"""A zip that two readers could read differently is no zip here; every other one is."""

import io
import struct
import zipfile
import zlib

import pytest

from fakes.zips import Member, field64, write
from wheelkeep.store import archives
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.zips import read_zip, unpack

FULL = 0xFFFFFFFF
A, B = Member("a.txt", b"the one file " * 40), Member("dir/b.txt", b"the other")
FOLDER = Member("dir/", method=0, mode=0o040755)


def contents(packed: bytes) -> dict[str, bytes]:
    """Every file, read as an upload is read."""
    file = io.BytesIO(packed)
    return {member.name: b"".join(unpack(file, member)) for member in read_zip(file) if not member.folder}


def refused(packed: bytes) -> str:
    with pytest.raises(BadArchive) as caught:
        contents(packed)
    (says,) = caught.value.problems
    return says


def streamed(member: Member) -> bytes:
    """The descriptor as it may also be: without its signature, or wide."""
    crc, packed, size = zlib.crc32(member.data), len(member.body), len(member.data)
    return struct.pack("<3L", crc, packed, size)


@pytest.mark.parametrize(
    "members",
    [
        (A, B),
        (FOLDER, A, B),
        (Member("stored", b"as it is", method=0), Member("empty", b"", method=0)),
        (Member("ü.txt", b"1", flags=0x800), Member("unix", b"2", mode=0)),
        (Member("later", b"3", flags=8), A),
        (Member("later", b"3", flags=8, descriptor=streamed(Member("later", b"3"))),),
        (Member("tried", b"4", flags=2, local={"flags": 4}),),
        (Member("big", b"5", local={"size": FULL, "packed": FULL, "extra": field64(1, 3)}),),
        (Member("told twice", b"6", local={"extra": field64(1, 3)}, central={"extra": field64(1)}),),
        (Member("wide", b"7", central={"size": FULL, "extra": field64(1)}),),
        (Member("timed", b"8", central={"extra": struct.pack("<HH4s", 0x5455, 4, b"time")}),),
    ],
    ids=lambda members: "+".join(str(member.name) for member in members),
)
def test_one_meaning(members: tuple[Member, ...]) -> None:
    packed = write(*members)
    meant = {str(member.name): member.data for member in members if not str(member.name).endswith("/")}
    assert contents(packed) == meant
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"} == meant


@pytest.mark.parametrize("unseekable", [False, True])
def test_what_the_standard_library_writes(unseekable: bool) -> None:
    target = io.BytesIO()
    if unseekable:
        target.seekable = lambda: False  # type: ignore[method-assign]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"a" * 100_000)
        with archive.open("ü/b", "w", force_zip64=True) as stream:
            stream.write(b"b" * 10)
    assert contents(target.getvalue()) == {"a": b"a" * 100_000, "ü/b": b"b" * 10}


def test_zip64_end_records_that_agree() -> None:
    assert contents(write(A, end64={})) == {"a.txt": A.data}
    full = {"here": 0xFFFF, "count": 0xFFFF, "length": FULL, "start": FULL}
    assert contents(write(A, B, end=full, end64={})) == {"a.txt": A.data, "dir/b.txt": B.data}


DATA = b"MZ this is run by somebody"


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (b"", "it is no zip file"),
        (b"PK\x05\x06", "it is no zip file"),
        (write(A, behind=DATA), "has a comment or other data behind its end"),
        (write(A, end={"comment": len(DATA)}, behind=DATA), "has a comment or other data behind its end"),
        (write(A, end={"comment": 5}), "has a comment or other data behind its end"),
        (write(A, front=DATA), "data before its first entry"),
        (DATA + write(A), "data between its directory and its end, or its directory is not where it says"),
        (write(A, inside=DATA), "data behind the member 'a.txt' that belongs to no member"),
        (write(Member("a", b"1", behind=DATA), B), "data behind the member 'a' that belongs to no member"),
        (write(A, before_end=DATA), "data between its directory and its end"),
        (write(A, before_end=b"PK\x05\x05\0\0"), "data between its directory and its end"),
        (write(A)[:-30] + write(A)[-22:], "its directory is not where it says"),
        (write(A, B, end={"count": 1, "here": 1}), "something else than the entries that it counts"),
        (write(A, end={"count": 2, "here": 2}), "fewer entries than it counts"),
        (write(A, end={"here": 2}), "several disks"),
        (write(A, end={"disk": 1}), "several disks"),
        (write(Member("a", central={"disk": 1})), "several disks"),
        (write(A, end={"count": 0xFFFF, "here": 0xFFFF}), "a zip64 record that is not there"),
        (write(A, end={"start": FULL}), "a zip64 record that is not there"),
        (write(A, end64={"at": 0}), "zip64 end record is not where it says"),
        (write(A, end64={"disks": 2}), "zip64 end record is not where it says"),
        (write(A, end64={"record": 45}), "zip64 end record is wrong"),
        (write(A, end64={"start": 1}), "two end records do not agree"),
        (write(A, end64={"count": 2, "here": 2}), "two end records do not agree"),
        (write(A, end={"here": 0xFFFF, "count": 0xFFFF}, end64={"count": 2}), "several disks"),
    ],
)
def test_bytes_that_belong_to_no_entry(packed: bytes, says: str) -> None:
    assert says in refused(packed)


@pytest.mark.parametrize(
    "lie",
    [
        {"name": b"b.txt"},
        {"method": 0},
        {"flags": 0x800},
        {"flags": 0x8},
        {"crc": 1},
        {"size": 2},
        {"packed": 2},
        {"crc": 0, "packed": 0, "size": 0},
    ],
    ids=str,
)
def test_a_header_that_says_something_else_than_the_directory(lie: dict[str, object]) -> None:
    assert "is another in its own header than in the directory" in refused(
        write(Member("a.txt", b"1", local=lie))
    )


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (Member("a", b"1", central={"offset": 5}), "data before its first entry"),
        (Member("a", b"1", flags=8, descriptor=b""), "belongs to no member"),
        (Member("a", b"1", flags=8, descriptor=struct.pack("<3L", 1, 2, 3)), "belongs to no member"),
        (Member("a", b"1", flags=8, method=0), "stored with its size behind it"),
        (Member("a", b"1", method=0, central={"size": 2}), "has two sizes"),
        (Member("a", b"1", method=12, packed=b"1"), "a method other than deflate"),
        (Member("a", b"1", local={"needs": 64}), "needs a newer reader"),
        (Member("a", b"1", central={"needs": 64}), "needs a newer reader"),
        (Member("a", b"1", flags=0x1), "is encrypted or a patch"),
        (Member("a", b"1", flags=0x41), "is encrypted or a patch"),
        (Member("a", b"1", flags=0x2000), "is encrypted or a patch"),
        (Member("a", b"1", flags=0x20), "is encrypted or a patch"),
        (Member("a", b"target", mode=0o120777), "is a link or a device"),
        (Member("a", b"", mode=0o060644), "is a link or a device"),
        (Member("a", b"", mode=0o040755), "a folder by half"),
        (Member("a/", b"", mode=0o100644), "a folder by half"),
        (Member("a/", b"1", mode=0o040755), "a folder with bytes"),
        (Member(b"\xfc", b"1"), "not UTF-8, or is not marked"),
        (Member("ü", b"1"), "not UTF-8, or is not marked"),
        (Member(b"\xfc", b"1", flags=0x800), "not UTF-8, or is not marked"),
        (Member("a", b"1", central={"extra": field64(2)}), "zip64 field that does not fit"),
        (Member("a", b"1", central={"size": FULL}), "zip64 field that does not fit"),
        (Member("a", b"1", central={"size": FULL, "extra": field64(1, 3)}), "zip64 field that does not fit"),
        (Member("a", b"1", local={"extra": field64(2, 3)}), "zip64 field that does not fit"),
        (Member("a", b"1", local={"size": FULL, "packed": FULL}), "zip64 field that does not fit"),
        (
            Member("a", b"1", local={"size": FULL, "packed": FULL, "extra": field64(1, 4)}),
            "is another in its own header",
        ),
        (Member("a", b"1", central={"extra": field64(1) + field64(1)}), "zip64 field that does not fit"),
        (Member("a", b"1", central={"extra": b"\x01"}), "extra field that is cut off"),
        (Member("a", b"1", local={"extra": struct.pack("<HH", 9, 4)}), "extra field that is cut off"),
        (
            Member("a", b"1", central={"extra": struct.pack("<HH5sx", 0x7075, 6, b"other")}),
            "a second name in an extra field",
        ),
        (
            Member("a", b"1", local={"extra": struct.pack("<HH5sx", 0x7075, 6, b"other")}),
            "a second name in an extra field",
        ),
    ],
    ids=repr,
)
def test_entries_that_readers_understand_differently(member: Member, says: str) -> None:
    assert says in refused(write(member))


def test_entries_that_share_bytes() -> None:
    other = Member("b", A.data, central={"offset": 0})
    assert "overlaps another" in refused(write(A, other))
    assert "overlaps another" in refused(write(A, Member("dir", b"1", central={"offset": 10})))
    longer = Member("a", b"1", local={"extra": b"\x09\x00\x02\x00xx"}, central={"packed": 60})
    assert "overlaps another" in refused(write(longer))


def test_a_bomb_is_seen_before_anything_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "UNSUSPECTED", 1000)
    bomb = Member("zeros", b"\0" * 1_000_000)
    assert "more than 100 times its size" in refused(write(bomb))
    monkeypatch.setattr(archives, "LARGEST_UNPACKED", 900)
    assert "unpacks to more than" in refused(write(Member("zeros", b"1" * 901)))


def test_a_member_that_is_larger_than_it_says() -> None:
    body = Member("zeros", b"\0" * 1_000_000).body
    lie = Member("zeros", b"\0" * 10, packed=body)
    assert "is larger than its header says" in refused(write(lie))


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (Member("a", b"12", packed=Member("a", b"1").body), "is damaged"),
        (Member("a", b"2", packed=Member("a", b"1").body), "is damaged"),
        (Member("a", b"1", packed=Member("a", b"1").body + DATA), "data behind its end"),
        (Member("a", b"1" * 99, packed=Member("a", b"1" * 99).body[:-2]), "ends before its data does"),
        (Member("a", b"1", packed=b"\xff\xff\xff"), "cannot be unpacked"),
    ],
    ids=["short", "other", "hidden", "cut", "garbage"],
)
def test_data_that_is_not_what_its_header_says(member: Member, says: str) -> None:
    assert says in refused(write(member))


def test_more_members_than_any_wheel_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "more than 100000 members" in refused(
        write(A, end64={"count": 100_001, "here": 100_001}, end={"here": 0xFFFF, "count": 0xFFFF})
    )
    monkeypatch.setattr("wheelkeep.store.zips.LARGEST_DIRECTORY", 50)
    assert "directory is larger than any wheel needs" in refused(write(A))
