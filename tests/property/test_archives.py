"""Laws of uploaded archives: whatever is changed in a good one, it is refused in words, or it still has one meaning."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.dists import sdist, wheel
from wheelkeep.core.names import ProjectName
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.sdists import read_sdist
from wheelkeep.store.wheels import read_wheel

DEMO = ProjectName("demo")
_, WHEEL = wheel("demo", "1.0", files={"demo/a.py": b"a" * 300, "demo/b.py": b"b = 1\n"})
_, SDIST = sdist("demo", "1.0")

changes = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 10_000), st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("cut"), st.integers(0, 10_000), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("put"), st.integers(0, 10_000), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("copy"), st.integers(0, 10_000), st.binary(min_size=1, max_size=120)),
    ),
    min_size=1,
    max_size=3,
)


def changed(packed: bytes, told: list[tuple[str, int, bytes]]) -> bytes:
    """``set`` writes over, ``cut`` takes out, ``put`` puts in, ``copy`` puts in what stands there already."""
    for how, at, piece in told:
        at %= len(packed) + 1
        after = at + len(piece)
        match how:
            case "set":
                packed = packed[:at] + piece + packed[after:]
            case "cut":
                packed = packed[:at] + packed[after:]
            case "put":
                packed = packed[:at] + piece + packed[at:]
            case _:
                packed = packed[:at] + packed[at:after] + packed[at:]
    return packed


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads") / "upload.part"


@given(changes)
def test_a_changed_wheel(place: Path, told: list[tuple[str, int, bytes]]) -> None:
    packed = changed(WHEEL, told)
    place.write_bytes(packed)
    try:
        read_wheel(place, DEMO, "1.0")
    except BadArchive as error:
        assert error.problems
        return
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, zipfile.ZipFile(io.BytesIO(WHEEL)) as original:
        assert archive.testzip() is None
        # RECORD vouches for everything but itself.
        for name in original.namelist():
            if not name.endswith("RECORD"):
                assert archive.read(name) == original.read(name)
        assert sorted(archive.namelist()) == sorted(original.namelist())


@given(changes)
def test_a_changed_sdist(place: Path, told: list[tuple[str, int, bytes]]) -> None:
    packed = changed(SDIST, told)
    place.write_bytes(packed)
    try:
        read_sdist(place, DEMO, "1.0")
    except BadArchive as error:
        assert error.problems
        return
    assert files(packed) == files(SDIST)


@given(changes)
def test_a_changed_tar(place: Path, told: list[tuple[str, int, bytes]]) -> None:
    """The same below the gzip layer, whose checksum would find nearly all of it."""
    packed = changed(gzip.decompress(SDIST), told)
    place.write_bytes(gzip.compress(packed))
    try:
        metadata = read_sdist(place, DEMO, "1.0").metadata
    except BadArchive as error:
        assert error.problems
        return
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = {member.name: member for member in archive if not member.isdir()}
        assert len(members) >= 1
        found = archive.extractfile(members["demo-1.0/PKG-INFO"])
        assert found is not None and found.read() == metadata
        for member in members.values():
            tarfile.data_filter(member, "/nowhere")


def files(packed: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {
            member.name: stream.read()
            for member in archive
            if (stream := archive.extractfile(member)) is not None
        }
