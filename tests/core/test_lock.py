"""The parts of a lock: hashes, addresses, and entries that no index can serve."""

import pytest

from fakes.made import sha
from wheelkeep.core.lock import Locked, bare, last_part, locked_file, normal_version, read_hash
from wheelkeep.core.names import ProjectName


@pytest.mark.parametrize("text", [f"sha256:{sha('a')}", f" sha256={sha('a').upper()} "])
def test_a_hash(text: str) -> None:
    assert read_hash(text) == ("sha256", sha("a"))


def test_other_hashes_keep_their_name() -> None:
    assert read_hash("md5:" + "0" * 32) == ("md5", "0" * 32)


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:00", f"sha255:{sha('a')}", sha("a"), "sha256:" + "g" * 64]
)
def test_what_is_no_hash(text: str) -> None:
    with pytest.raises(ValueError, match="is not a hash"):
        read_hash(text)


def test_a_file_s_name_is_the_last_part_of_its_address() -> None:
    file = locked_file(
        [("sha256", sha("a"))], url="https://user:pw@files.example/a%2Bb/demo-1.0%2Bcpu.whl?x#y"
    )
    assert file.filename == "demo-1.0+cpu.whl"
    assert file.url == "https://files.example/a%2Bb/demo-1.0%2Bcpu.whl?x"


def test_what_is_told_wrong_is_left_out() -> None:
    file = locked_file([("sha256", "x"), ("md5", "0" * 32)], size=-1, upload_time="yesterday")
    assert (file.sha256, file.digests, file.size, file.upload_time) == (None, {"md5": "0" * 32}, None, None)


def test_addresses_that_are_none() -> None:
    assert (bare("http://[x/"), last_part("http://[x/"), last_part("https://files.example/")) == (
        "",
        None,
        None,
    )
    assert (bare("../dist"), last_part("..\\dist\\x.whl")) == ("../dist", "x.whl")


def test_versions() -> None:
    assert [normal_version(text) for text in ("1.0-post1", "yes", None)] == ["1.0.post1", None, None]


def test_why_no_index_can_serve_it() -> None:
    entry = Locked(project=ProjectName("demo"), origin="git")
    assert entry.unservable == "demo is taken from a repository, which no index has"
    assert Locked(project=None, origin="path").unservable.startswith("an entry is a file or folder")
    assert not Locked(project=ProjectName("demo")).unservable
