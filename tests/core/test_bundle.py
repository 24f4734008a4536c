"""A bundle's form: one header a member, one order of its lines, one note that its own key signed."""

import io
import tarfile

import pytest
from msgspec.structs import replace

from fakes.bundles import KEY, OTHER, bundle_of, document, file_of, head, lines_of, whole
from fakes.made import NOW
from wheelkeep.core import bundle
from wheelkeep.core.bundle import (
    Base,
    Blob,
    End,
    Head,
    NotABundle,
    Told,
    note_text,
    read_lines,
    read_signed,
    write_line,
)
from wheelkeep.core.notes import Note

A, B = b"a" * 700, b"b" * 512
DEMO = document(file_of("demo-1.0-py3-none-any.whl", A), file_of("demo-2.0-py3-none-any.whl", B))
GOOD = lines_of([DEMO], [A, B])


def test_any_reader_of_tars_finds_the_members() -> None:
    packed = bundle_of({"demo-1.0-py3-none-any.whl": A, "demo-2.0-py3-none-any.whl": B})
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        names = archive.getnames()
        found = [archive.extractfile(name) for name in names]
        assert [file.read() for file in found[2:] if file is not None] in ([A, B], [B, A])
    assert names[:2] == [bundle.NOTE, bundle.DOCUMENTS]
    assert all(name.startswith(bundle.BLOBS) for name in names[2:])
    assert bundle.note_size(packed[:512]) is not None
    assert bundle.note_size(b"PK" + packed[2:512]) is None


def test_a_file_that_no_header_can_tell_the_size_of_is_refused() -> None:
    assert len(bundle.header("x", bundle.LARGEST_FILE)) == 512
    with pytest.raises(ValueError, match="8 GiB"):
        bundle.header("x", bundle.LARGEST_FILE + 1)


def test_good_lines_are_read_as_they_were_written() -> None:
    assert list(read_lines(map(write_line, GOOD))) == GOOD


@pytest.mark.parametrize(
    "lines",
    [
        [],
        GOOD[:-1],
        GOOD[1:],
        [GOOD[0], *GOOD],
        [*GOOD, GOOD[-1]],
        [GOOD[0], DEMO, *GOOD[1:]],
        [GOOD[0], GOOD[2], DEMO, *GOOD[3:]],
        [GOOD[0], DEMO, GOOD[3], GOOD[2], GOOD[4]],
        [GOOD[0], DEMO, GOOD[2], GOOD[2], GOOD[3], GOOD[4]],
        [replace(head(), format=2), *GOOD[1:]],
        [*GOOD[:-1], End(projects=1, files=2, blobs=2, bytes=1)],
        [GOOD[0], Blob(sha256="A" * 64, size=1), End(projects=0, files=0, blobs=1, bytes=1)],
        [GOOD[0], Blob(sha256="a" * 64, size=-1), End(projects=0, files=0, blobs=1, bytes=-1)],
    ],
    ids=lambda lines: str(len(lines)),
)
def test_lines_in_any_other_order_are_no_bundle(lines: list[Told]) -> None:
    with pytest.raises(NotABundle):
        list(read_lines(map(write_line, lines)))


@pytest.mark.parametrize(
    "raw", [b"{}\n", b"[" * 100_000, b"\xff\n", write_line(head())[:-1], b" " + write_line(head())]
)
def test_a_line_has_one_spelling(raw: bytes) -> None:
    with pytest.raises(NotABundle):
        list(read_lines([raw]))


def test_the_note_is_signed_by_the_key_that_it_names() -> None:
    text = note_text(KEY.public, "a" * 64, 7)
    signed = read_signed(str(Note(text).signed(KEY.sign(text))))
    assert (signed.key, signed.sha256, signed.size) == (KEY.public, "a" * 64, 7)
    longer = text + "more\n"
    wrong = [
        Note(text).signed(OTHER.sign(text)),
        Note(text.replace("aaa", "bbb")).signed(KEY.sign(text)),
        Note(longer).signed(KEY.sign(longer)),
        Note(huge := note_text(KEY.public, "a" * 64, bundle.LARGEST_DOCUMENTS + 1)).signed(KEY.sign(huge)),
    ]
    for note in wrong:
        with pytest.raises(NotABundle):
            read_signed(str(note))


def test_names_have_their_normal_form() -> None:
    for other in (replace(DEMO, project="Demo"), replace(DEMO, source="A_b"), replace(DEMO, project="../x")):
        with pytest.raises(NotABundle):
            bundle.names_of(other)


def test_moments_have_one_form() -> None:
    assert bundle.read_moment(bundle.written(NOW)) == NOW
    for text in ("", "2026-11-22", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00.0Z", "9" * 5000):
        with pytest.raises(NotABundle):
            bundle.read_moment(text)


@pytest.mark.parametrize(
    "lie",
    [
        replace(head(), index="two\nlines"),
        replace(head(), index="x" * 99),
        head(base="2026-11-01"),
        head(base=""),
    ],
)
def test_a_head_names_what_can_be_named(lie: Head) -> None:
    with pytest.raises(NotABundle):
        list(read_lines([write_line(lie), write_line(End(projects=0, files=0, blobs=0, bytes=0))]))


def test_the_base_is_told() -> None:
    first = next(read_lines(map(write_line, lines_of([DEMO], [A, B], head(base="monday")))))
    assert isinstance(first, bundle.Head)
    assert first.base == Base(name="monday", number=1, at=bundle.written(NOW))
    assert whole(GOOD, [A, B]) == whole(GOOD, [B, A])
