"""Zip files written by hand, so that any field of any record can lie."""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Member:
    """One entry; what is not given is true. ``local`` and ``central`` hold lies by the names of the fields."""

    name: str | bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    descriptor: bytes | None = None
    """What stands behind the data; with ``flags`` 8 and none given: a true one with its signature."""
    packed: bytes | None = None
    behind: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    @property
    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method == 0:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()

    def told(self, lies: dict[str, Any]) -> dict[str, Any]:
        true = {
            "name": self.raw,
            "needs": 20,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.body),
            "size": len(self.data),
            "extra": b"",
        }
        return true | lies

    def before(self) -> bytes:
        """The local header."""
        later = {"crc": 0, "packed": 0, "size": 0} if self.flags & 8 else {}
        has = self.told(later | self.local)
        head = struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04", has["needs"], has["flags"], has["method"], 0, 33, has["crc"], has["packed"], has["size"],
            len(has["name"]), len(has["extra"]),
        )  # fmt: skip
        return head + bytes(has["name"]) + bytes(has["extra"])

    def after(self) -> bytes:
        if self.descriptor is not None:
            return self.descriptor
        if not self.flags & 8:
            return b""
        return b"PK\x07\x08" + struct.pack("<3L", zlib.crc32(self.data), len(self.body), len(self.data))

    def entry(self, offset: int) -> bytes:
        """The record in the central directory."""
        has = self.told({"offset": offset, "disk": 0} | self.central)
        head = struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02", 3 << 8 | 20, has["needs"], has["flags"], has["method"], 0, 33, has["crc"], has["packed"],
            has["size"], len(has["name"]), len(has["extra"]), 0, has["disk"], 0, self.mode << 16, has["offset"],
        )  # fmt: skip
        return head + bytes(has["name"]) + bytes(has["extra"])


def write(
    *members: Member,
    front: bytes = b"",
    inside: bytes = b"",
    before_end: bytes = b"",
    behind: bytes = b"",
    end: dict[str, int] | None = None,
    end64: dict[str, int] | None = None,
) -> bytes:
    """A whole file. ``front``, ``inside`` (before the directory), ``before_end`` and ``behind`` are bytes that belong
    to nothing; ``end`` has lies of the end record; with ``end64``, even an empty one, there are zip64 records too.
    """
    body, directory = bytearray(front), b""
    for member in members:
        directory += member.entry(len(body))
        body += member.before() + member.body + member.after() + member.behind
    body += inside
    start = len(body)
    body += directory + before_end
    true = {"disk": 0, "first": 0, "here": len(members), "count": len(members), "length": len(directory)}
    true |= {"start": start, "comment": 0}
    if end64 is not None:
        has = true | {"at": len(body), "disks": 1, "record": 44} | end64
        body += struct.pack(
            "<4sQ2H2L4Q",
            b"PK\x06\x06", has["record"], 45, 45, has["disk"], has["first"], has["here"], has["count"], has["length"],
            has["start"],
        )  # fmt: skip
        body += struct.pack("<4sLQL", b"PK\x06\x07", 0, has["at"], has["disks"])
    has = true | (end or {})
    body += struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06", has["disk"], has["first"], has["here"], has["count"], has["length"], has["start"],
        has["comment"],
    )  # fmt: skip
    return bytes(body + behind)


def field64(*values: int) -> bytes:
    """The zip64 extra field."""
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)
