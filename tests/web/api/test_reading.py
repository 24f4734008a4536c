"""Bodies and queries become structs, or a sentence that says where and why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from wheelkeep.web.api.listing import Paging
from wheelkeep.web.api.reading import UnreadableError, read_body, read_query


class Note(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    count: int | None = None


def test_what_fits_is_read() -> None:
    assert read_body(b' {"text": "\xc3\xbc", "count": 2} ', Note) == Note(text="ü", count=2)
    assert read_query(b"after=a%2Fb+c&limit=7", Paging) == Paging(after="a/b c", limit=7)
    assert read_query(b"", Paging) == Paging()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"txet": "a"}', 'the body has "txet", which is not known: did you mean "text"?'),
        (b'{"text": 1}', "Expected `str`, got `int` - at `$.text`"),
        (b'{"text": "a", "text": "a"}', '"text" stands there twice'),
        (b'{"text": "a", "count": {"a": 1, "a": 1}}', '"a" stands there twice'),
        (b'{"text": "a"', "the body is not JSON"),
        (b"\xff", "the body is not UTF-8"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b"7", "the body must be a JSON object"),
        (b'{"text": "\\ud800"}', ""),
        (b'{"\\ud800": 1}', 'the body has "?"'),
    ],
)
def test_what_does_not_is_named(body: bytes, says: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_body(body, Note)
    assert says in str(refused.value)
    str(refused.value).encode()


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8"textcoun 1e-.', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for reader, kind in ((read_body, Note), (read_query, Paging)):
        try:
            assert isinstance(reader(raw, kind), kind)  # type: ignore[operator]
        except UnreadableError as error:
            str(error).encode()
