"""The list of a backup: read back as it was written, or refused."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core import manifest
from wheelkeep.core.manifest import End, Entry, Head, Kept, NotABackup, Setting, Stored

HEAD = Head(format=1, made="2026-11-23T02:00:00Z", wheelkeep="1.0")
SHA = hashlib.sha256(b"x").hexdigest()
KEPT = Kept(path="wheelkeep.sqlite", mode=0o600, size=1, sha256=SHA, parts=(SHA,))
SETTING = Setting(path="policy.toml", was="/etc/policy.toml", mode=0o644, size=1, sha256=SHA)
STORED = Stored(sha256=SHA, size=1)


def text(*entries: Entry, head: Head = HEAD) -> list[bytes]:
    end = End(entries=len(entries), bytes=sum(entry.size for entry in entries))
    return [manifest.write(line) for line in (head, *entries, end)]


def test_it_is_read_as_it_was_written() -> None:
    assert list(manifest.read(text(KEPT, SETTING, STORED))) == [HEAD, KEPT, SETTING, STORED]


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_list_that_lacks_a_line_is_refused(lost: int) -> None:
    lines = text(KEPT, STORED)
    del lines[lost]
    with pytest.raises(NotABackup):
        list(manifest.read(lines))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [*text(STORED), manifest.write(STORED)],
        [manifest.write(HEAD), *text(STORED)],
        text(STORED, head=Head(format=2, made="", wheelkeep="9")),
        [b"not JSON\n"],
        [b'{"what":"backup","format":1,"made":"","wheelkeep":"","more":1}\n'],
        [b"\xff\n"],
    ],
)
def test_what_is_no_list_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(NotABackup):
        list(manifest.read(lines))


@pytest.mark.parametrize(
    "entry",
    [
        Stored(sha256="../" * 20 + "abcd", size=1),
        Stored(sha256=SHA.upper(), size=1),
        Stored(sha256=SHA, size=-1),
        Kept(path="a", mode=0, size=1, sha256=SHA, parts=("x",)),
        *(
            Kept(path=path, mode=0, size=1, sha256=SHA, parts=())
            for path in ("blobs/sha256/x", "tmp/x", "restoring", "changes", "../x", "/x", "")
        ),
        Setting(path="../../etc/passwd", was="", mode=0, size=1, sha256=SHA),
    ],
)
def test_an_entry_that_leads_elsewhere_is_refused(entry: Entry) -> None:
    with pytest.raises(NotABackup):
        list(manifest.read(text(entry)))


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_plain_path_leads_down(path: str) -> None:
    if manifest.plain(path):
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))
        assert "\0" not in path and "\\" not in path


def test_a_name_vouches_for_one_text() -> None:
    made = datetime(2026, 11, 23, 2, 0, 0, 17, tzinfo=UTC)
    name = manifest.name(made, SHA)
    assert manifest.is_name(name) and manifest.moment(name) == made
    assert manifest.vouches(name, SHA)
    assert not manifest.vouches(name, hashlib.sha256(b"y").hexdigest())
    assert not manifest.vouches("anything", SHA)
    assert manifest.moment("20261323T020000.000000Z-" + "0" * 32) is None
    assert name < manifest.name(made.replace(microsecond=18), "0" * 64)
