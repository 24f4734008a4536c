"""An sdist has one top folder of its own name, and nothing in it leads out."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from fakes.dists import metadata, sdist
from wheelkeep.core.names import ProjectName
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.sdists import newest_time, read_info, read_sdist

PKG_INFO = metadata("demo-lib", "1.0").encode()


def made(
    *more: tuple[str, bytes | str] | tarfile.TarInfo, top: str = "demo_lib-1.0", info: bool = True
) -> bytes:
    """An sdist of demo-lib 1.0. ``more``: files by path, or members as they are; text is a symbolic link's target."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        members = [(f"{top}/PKG-INFO", PKG_INFO), *more] if info else [*more]
        for one in members:
            if isinstance(one, tarfile.TarInfo):
                archive.addfile(one)
                continue
            told = tarfile.TarInfo(one[0])
            if isinstance(one[1], str):
                told.type, told.linkname = tarfile.SYMTYPE, one[1]
                archive.addfile(told)
            else:
                told.size = len(one[1])
                archive.addfile(told, io.BytesIO(one[1]))
    # Without the time in it: parallel runs must agree on the names of tests.
    return gzip.compress(target.getvalue(), mtime=0)


def odd(path: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    told = tarfile.TarInfo(path)
    told.type, told.linkname = kind, target
    return told


def read(packed: bytes, folder: Path, project: str = "demo-lib", version: str = "1.0") -> bytes:
    path = folder / "upload.part"
    path.write_bytes(packed)
    return read_sdist(path, ProjectName(project), version).metadata


def test_a_good_sdist_gives_its_metadata(tmp_path: Path) -> None:
    assert read(made(), tmp_path) == PKG_INFO
    _, packed = sdist("Demo.Lib", "1.0.post1", requires=["x"])
    assert b"Requires-Dist: x" in read(packed, tmp_path, version="1.0.post1")


@pytest.mark.parametrize(
    "packed",
    [
        made(top="demo-lib-1.0"),
        made(top="Demo.Lib-1.0"),
        made(odd("demo_lib-1.0/docs", tarfile.DIRTYPE), ("demo_lib-1.0/docs/a", b"1")),
        made(odd("demo_lib-1.0", tarfile.DIRTYPE)),
        made(("demo_lib-1.0/a b/ü.txt", b"1"), ("demo_lib-1.0/x\u2028y", b"1")),
        made(("demo_lib-1.0/docs/LICENSE", "../LICENSE"), ("demo_lib-1.0/here", "docs")),
        made(("demo_lib-1.0/a/b/up", "../../c/d"), ("demo_lib-1.0/a/top", "..")),
        made(odd("demo_lib-1.0/again", tarfile.LNKTYPE, "demo_lib-1.0/PKG-INFO")),
        made(("demo_lib-1.0/sub/PKG-INFO", b"Name: other\n")),
    ],
)
def test_what_builders_do(packed: bytes, tmp_path: Path) -> None:
    assert read(packed, tmp_path) == PKG_INFO


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (made(top="other-1.0"), "its top folder 'other-1.0' is not that of demo-lib 1.0"),
        (made(top="demo_lib-1.1"), "is not that of demo-lib 1.0"),
        (made(top="./demo_lib-1.0"), "its top folder '.'"),
        (made(top="/demo_lib-1.0"), "its top folder ''"),
        (made(info=False), "it has no PKG-INFO"),
        (made(("demo_lib-1.0/a", b""), info=False), "it has no PKG-INFO in its top folder"),
        (made(("demo_lib-1.0/sub/PKG-INFO", b""), info=False), "it has no PKG-INFO in its top folder"),
        (made(odd("demo_lib-1.0/PKG-INFO", tarfile.DIRTYPE), info=False), "PKG-INFO is not a file"),
        (made(("demo_lib-1.0/PKG-INFO", "a"), info=False), "PKG-INFO is not a file"),
        (made(("demo_lib-1.0/PKG-INFO", b"other")), "is there twice"),
        (made(("other/a", b"")), "outside of the top folder"),
        (made(("demo_lib-1.0.py", b"")), "outside of the top folder"),
        (made(odd("demo_lib-1.0", tarfile.SYMTYPE, "a"), info=False), "is not a folder"),
        (made(("demo_lib-1.0/../../evil", b"")), 'has ".." in its path'),
        (made(("/etc/cron.d/evil", b"")), "has an absolute path"),
        (made(("demo_lib-1.0/a\\..\\evil", b"")), "has a backslash"),
        (made(("demo_lib-1.0//a", b"")), "has an empty part"),
        (made(("demo_lib-1.0/a\nb", b"")), "has a control character"),
        (made(odd("demo_lib-1.0/tty", tarfile.CHRTYPE)), "neither file, folder nor link"),
        (made(odd("demo_lib-1.0/disk", tarfile.BLKTYPE)), "neither file, folder nor link"),
        (made(odd("demo_lib-1.0/pipe", tarfile.FIFOTYPE)), "neither file, folder nor link"),
        (made(("demo_lib-1.0/up", "..")), "is a link out of the archive"),
        (made(("demo_lib-1.0/a/up", "../..")), "is a link out of the archive"),
        (made(("demo_lib-1.0/passwd", "/etc/passwd")), "is a link out of the archive"),
        (made(("demo_lib-1.0/passwd", "..//etc/passwd")), "is a link out of the archive"),
        (made(("demo_lib-1.0/a", "b/../../../c")), "is a link out of the archive"),
        (made(("demo_lib-1.0/a", "C:\\evil")), "is a link out of the archive"),
        (made(("demo_lib-1.0/a", "")), "is a link out of the archive"),
        (made(("demo_lib-1.0/a", "b" * 2000)), "is a link out of the archive"),
        (made(("demo_lib-1.0/a", "b"), ("demo_lib-1.0/a/c", b"1")), "lies below 'demo_lib-1.0/a'"),
        (made(("demo_lib-1.0/a/c", b"1"), ("demo_lib-1.0/a", "b")), "is there twice"),
        (made(odd("demo_lib-1.0/a", tarfile.LNKTYPE, "/etc/passwd")), "a link to no file before it"),
        (made(odd("demo_lib-1.0/a", tarfile.LNKTYPE, "demo_lib-1.0/later")), "a link to no file before it"),
        (
            made(("demo_lib-1.0/a", "PKG-INFO"), odd("demo_lib-1.0/b", tarfile.LNKTYPE, "demo_lib-1.0/a")),
            "a link to no file before it",
        ),
    ],
)
def test_what_leads_elsewhere(packed: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadArchive) as caught:
        read(packed, tmp_path)
    (told,) = caught.value.problems
    assert says in told


def test_metadata_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkeep.store.sdists.LARGEST_METADATA", 10)
    with pytest.raises(BadArchive, match="PKG-INFO is larger than any package needs"):
        read(made(), tmp_path)


def test_the_info_of_any_sdist_and_nothing_behind_it() -> None:
    broken = made(("demo_lib-1.0/more", b"x" * 100_000), top="Demo.Lib-1.0")[:-50]
    assert read_info(io.BytesIO(sdist("demo-lib", "1.0")[1])) == PKG_INFO
    assert read_info(io.BytesIO(broken)) == PKG_INFO
    for content in (made(info=False), b"no gzip", made(("deep/er/PKG-INFO", b""), info=False)):
        with pytest.raises(BadArchive):
            read_info(io.BytesIO(content))


def test_the_newest_time_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "demo.tar.gz"
    for times in ((5, 1_700_000_000, 7), ()):
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w") as archive:
            for number, time in enumerate(times):
                member = tarfile.TarInfo(f"demo-1.0/{number}")
                member.mtime = time
                archive.addfile(member)
        path.write_bytes(gzip.compress(target.getvalue()))
        assert newest_time(path) == max(times, default=0)
    path.write_bytes(gzip.compress(made()[:40]) + b"rest")
    assert newest_time(path) == 0
