"""A wheel says one thing of itself: one description, and a RECORD that is true of every member."""

import base64
import hashlib
from pathlib import Path

import pytest

from fakes.dists import metadata, wheel
from fakes.zips import Member, write
from wheelkeep.core.names import ProjectName
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.wheels import read_wheel

DEMO = ProjectName("demo")
INFO = "demo-1.0.dist-info"
METADATA = metadata("demo", "1.0").encode()
MODULE = b"VERSION = 1\n"
SIGNED = {f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b""}


def row(path: str, data: bytes, algorithm: str = "sha256") -> str:
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
    return f"{path},{algorithm}={digest},{len(data)}\n"


def made(
    files: dict[str, bytes] | None = None,
    *,
    info: str = INFO,
    record: bytes | None = None,
    more: str = "",
    unlisted: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    extra: tuple[Member, ...] = (),
) -> bytes:
    """A wheel of demo 1.0. ``record``: RECORD itself, else a true one with ``more`` at its end; ``unlisted`` and
    ``without``: members that RECORD does not list, or that are not there.
    """
    members = {"demo.py": MODULE, f"{info}/METADATA": METADATA, f"{info}/WHEEL": b"Wheel-Version: 1.0\n"}
    members |= files or {}
    if record is None:
        listed = {path: data for path, data in members.items() if path not in unlisted}
        rows = [row(path, data) for path, data in listed.items()]
        record = "".join([*rows, f"{info}/RECORD,,\n", more]).encode()
    members[f"{info}/RECORD"] = record
    return write(
        *(Member(path, data) for path, data in members.items() if path not in without),
        *extra,
    )


def read(packed: bytes, folder: Path, *, version: str = "1.0", project: str = "demo") -> bytes:
    path = folder / "upload.part"
    path.write_bytes(packed)
    return read_wheel(path, ProjectName(project), version).metadata


def refused(packed: bytes, folder: Path, **more: str) -> tuple[str, ...]:
    with pytest.raises(BadArchive) as caught:
        read(packed, folder, **more)
    return caught.value.problems


def test_a_good_wheel_gives_its_metadata(tmp_path: Path) -> None:
    assert read(made(), tmp_path) == METADATA
    _, packed = wheel("Demo.Lib", "1.0.post1", requires=["x"])
    assert b"Requires-Dist: x" in read(packed, tmp_path, version="1.0.post1", project="demo-lib")


@pytest.mark.parametrize(
    "packed",
    [
        made(SIGNED, unlisted=tuple(SIGNED)),
        made({"a,b.py": b"1"}, unlisted=("a,b.py",), more='"a,b.py"' + row("", b"1")),
        made({"strong.py": b"1"}, unlisted=("strong.py",), more=row("strong.py", b"1", "sha512")),
        made({"unsized.py": b"1"}, unlisted=("unsized.py",), more=row("unsized.py", b"1").rsplit(",", 1)[0] + ",\n"),
        made({"padded.py": b"1"}, unlisted=("padded.py",), more=row("padded.py", b"1").replace(",1\n", "=,1\n")),
        made(more="\n\r\n"),
        made(extra=(Member("demo/", method=0, mode=0o040755),)),
        made({"readme": b"1", "README": b"1"}),
    ],
    ids=["signed", "quoted", "sha512", "unsized", "padded", "blank rows", "folder", "capitals"],
)  # fmt: skip
def test_what_builders_do(packed: bytes, tmp_path: Path) -> None:
    assert read(packed, tmp_path) == METADATA


OWN = "demo-1.0.data"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("other-9.data/scripts/x", "is not its own .data folder"),
        ("DEMO-1.0.data/scripts/x", "is not its own .data folder"),
        (f"{OWN}/bin/x", "is in none of purelib, platlib, headers, scripts, data"),
        (f"{OWN}/x", "is in none of"),
        (f"{OWN}/scripts", "is in none of"),
        (f"{OWN}/purelib/demo.py", "is there twice"),
        (f"{OWN}/platlib/demo.py/x", "is not a folder"),
        (f"{OWN}/purelib/pip-99.dist-info/METADATA", "would be in a second .dist-info folder"),
        (f"{OWN}/platlib/{INFO}/entry_points.txt", "would be in a second .dist-info folder"),
    ],
)
def test_what_would_go_elsewhere_by_another_installer(path: str, says: str, tmp_path: Path) -> None:
    assert says in "; ".join(refused(made({path: b""}), tmp_path))


def test_a_data_folder_of_its_own(tmp_path: Path) -> None:
    files = {
        f"{OWN}/{path}": b"" for path in ("scripts/x", "data/demo.py", "headers/demo.h", "purelib/more.py")
    }
    folders = tuple(Member(f"{OWN}/{path}", method=0, mode=0o040755) for path in ("", "scripts/"))
    assert read(made(files | {"vendored/a-1.dist-info/METADATA": b""}, extra=folders), tmp_path) == METADATA


@pytest.mark.parametrize("name", ["METADATA", "WHEEL", "RECORD"])
def test_each_part_of_the_description_is_needed(name: str, tmp_path: Path) -> None:
    assert refused(made(without=(f"{INFO}/{name}",)), tmp_path) == (f"it has no {INFO}/{name}",)


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (made(info="other-1.0.dist-info"), "its folder 'other-1.0.dist-info' is not that of demo 1.0"),
        (made(info="demo-1.1.dist-info"), "is not that of demo 1.0"),
        (made(info="demo.dist-info"), "is not that of demo 1.0"),
        (made({"Demo-1.0.dist-info/METADATA": b""}), "exactly one .dist-info folder"),
        (made({"demo-1.0.DIST-INFO/x": b""}), "exactly one .dist-info folder"),
        (made({"demo-2.0.dist-info": b""}), "exactly one .dist-info folder"),
        (write(Member("demo.py", MODULE)), "it has none"),
        (write(), "it is empty"),
        (made({f"{INFO}/metadata": b""}), "is there twice, but for its capitals"),
        (made({"../evil.py": b""}), 'has ".." in its path'),
        (made({"/evil.py": b""}), "has an absolute path"),
        (made({"demo\\evil.py": b""}), "has a backslash"),
        (made({"C:evil.py": b""}), "begins with a drive"),
        (made({"evil\0.py": b""}), "has a control character"),
        (made(extra=(Member("demo.py", b"other"),)), "'demo.py' is there twice"),
        (made(extra=(Member("link", b"/etc/passwd", mode=0o120777),)), "is a link or a device"),
        (made({"demo.py/x": b""}), "lies below 'demo.py'"),
    ],
)
def test_what_has_more_than_one_meaning(packed: bytes, says: str, tmp_path: Path) -> None:
    (told,) = refused(packed, tmp_path)
    assert says in told


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (made({"hidden.py": b"1"}, unlisted=("hidden.py",)), "does not list 'hidden.py'"),
        (
            made({"hidden.py": b"1"}, unlisted=("hidden.py",), more="hidden.py,,\n"),
            "has no hash of 'hidden.py'",
        ),
        (made(more=row("gone.py", b"1")), "lists 'gone.py', which is not there"),
        (made(without=("demo.py",)), "lists 'demo.py', which is not there"),
        (made(more="demo.py,,\n"), "has 'demo.py' twice"),
        (
            made({"x": b"1"}, unlisted=("x",), more=row("x", b"2")),
            "another hash of 'x' than that of its bytes",
        ),
        (
            made({"x": b"1"}, unlisted=("x",), more=row("x", b"1")[:-2] + "2\n"),
            "says 2 bytes of 'x', which has 1",
        ),
        (
            made({"x": b"1"}, unlisted=("x",), more=row("x", b"1")[:-2] + "one\n"),
            "says the size 'one' of 'x'",
        ),
        (
            made({"x": b"1"}, unlisted=("x",), more=row("x", b"1", "md5")),
            "no sha256, sha384 or sha512 of 'x'",
        ),
        (made({"x": b"1"}, unlisted=("x",), more="x,sha256=AAAA,1\n"), "no sha256, sha384 or sha512 of 'x'"),
        (made({"x": b"1"}, unlisted=("x",), more="x,sha256=!!,1\n"), "no sha256, sha384 or sha512 of 'x'"),
        (made(more="x,y\n"), "a row that is not path, hash and size"),
        (made(more='"x'), "RECORD cannot be read"),
        (made(record=b"\xff,,\n"), "RECORD cannot be read"),
    ],
)
def test_a_record_that_is_not_true(packed: bytes, says: str, tmp_path: Path) -> None:
    assert says in "\n".join(refused(packed, tmp_path))


def test_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    many = {f"hidden{number}.py": b"1" for number in range(30)}
    told = refused(made(many, unlisted=tuple(many), more=row("gone.py", b"1")), tmp_path)
    assert len(told) == 12
    assert told[10:] == ("and 20 more of this kind", "its RECORD lists 'gone.py', which is not there")


def test_a_damaged_member_is_found_though_record_excepts_it(tmp_path: Path) -> None:
    name = f"{INFO}/RECORD.jws"
    bad = Member(name, b"12", packed=Member(name, b"1").body)
    assert "is damaged" in refused(made(extra=(bad,)), tmp_path)[0]


def test_parts_that_are_larger_than_any_wheel_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkeep.store.wheels.LARGEST_METADATA", 10)
    assert "METADATA' is larger than any wheel needs" in refused(made(), tmp_path)[0]
    monkeypatch.setattr("wheelkeep.store.wheels._LARGEST_RECORD", 10)
    assert "RECORD' is larger than any wheel needs" in refused(made(), tmp_path)[0]


def test_a_file_that_is_no_wheel(tmp_path: Path) -> None:
    assert "no zip file" in refused(b"#!/bin/sh\n" * 10, tmp_path)[0]


def about(wheel: str | bytes) -> bytes:
    return made({f"{INFO}/WHEEL": wheel.encode() if isinstance(wheel, str) else wheel})


# As setuptools (today and of old), flit, hatchling, poetry and maturin write it.
@pytest.mark.parametrize(
    "wheel",
    [
        "Wheel-Version: 1.0\nGenerator: setuptools (80.9.0)\nRoot-Is-Purelib: true\nTag: py3-none-any\n\n",
        "Wheel-Version: 1.0\r\nGenerator: bdist_wheel (0.24.0)\r\nRoot-Is-Purelib: false\r\n"
        "Tag: cp27-none-linux_x86_64\r\nTag: cp27-none-any\r\nBuild: 3\r\n\r\n",
        "Wheel-Version: 1.0\nGenerator: flit 3.12.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n",
        "Wheel-Version: 1.0\nGenerator: hatchling 1.27.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "Wheel-Version: 1.0\nGenerator: poetry-core 2.1.3\nRoot-Is-Purelib: true\nTag: py3-none-any",
        "Wheel-Version: 1.0\nGenerator: maturin (1.9.0)\nRoot-Is-Purelib: false\nTag: cp311-abi3-linux_x86_64\n",
        "wheel-version: 1.9\nroot-is-purelib:true\n",
        "Wheel-Version: 1.0\n",
    ],
)
def test_what_build_tools_write_about_a_wheel(wheel: str, tmp_path: Path) -> None:
    assert read(about(wheel), tmp_path) == METADATA


@pytest.mark.parametrize(
    ("wheel", "says"),
    [
        ("", "its WHEEL has no Wheel-Version"),
        ("Wheel-Version: 2.0\n", "says Wheel-Version: '2.0'; it must be 1.0"),
        ("Wheel-Version: 0.1\n", "says Wheel-Version: '0.1'"),
        ("Wheel-Version: 1\n", "says Wheel-Version: '1';"),
        ("Wheel-Version: \u0661.0\n", "says Wheel-Version"),
        ("Wheel-Version: 1.0\n .5\n", "says Wheel-Version"),
        ("Wheel-Version: 1.0\nWheel-Version: 2.0\n", "has Wheel-Version 2 times"),
        (
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nroot-is-purelib: false\n",
            "has Root-Is-Purelib 2 times",
        ),
        (
            "Wheel-Version: 1.0\n\nRoot-Is-Purelib: true\n",
            "has Root-Is-Purelib where only some readers find it",
        ),
        ("\nWheel-Version: 1.0\n", "has Wheel-Version where only some readers find it"),
        ("Wheel-Version : 1.0\n", "has Wheel-Version where only some readers find it"),
        ("Wheel-Version: 1.0\n Root-Is-Purelib: true\n", "only some readers"),
        ("Wheel-Version: 1.0\nnothing\nRoot-Is-Purelib: true\n", "only some readers"),
        (
            "Wheel-Version: 1.0\nRoot-Is-Purelib: True\n",
            "says Root-Is-Purelib: 'True'; it must be true or false",
        ),
        ("Wheel-Version: 1.0\nRoot-Is-Purelib:\n", "it must be true or false"),
        ("Wheel-Version: 1.0\nGenerator: x\rRoot-Is-Purelib: true\n", "a line end by half"),
        ("\ufeffWheel-Version: 1.0\n", "its WHEEL has no Wheel-Version"),
        (b"Wheel-Version: 1.0\nGenerator: \xff\n", "its WHEEL cannot be read"),
    ],
)
def test_what_installers_would_read_in_two_ways_about_a_wheel(
    wheel: str | bytes, says: str, tmp_path: Path
) -> None:
    assert any(says in problem for problem in refused(about(wheel), tmp_path))
