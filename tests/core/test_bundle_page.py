"""A project in a bundle is read as any origin's page is, and with all that no page tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.bundles import EMPTY, KEY, document, file_of
from fakes.made import NOW, later, sha
from wheelkeep.core import bundle, merkle
from wheelkeep.core.bundle import Document, Line, NotABundle, State, written
from wheelkeep.core.bundle_page import read_project, write_state
from wheelkeep.core.chain import BEGIN, link
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.log_entries import SeenFile, write_entry
from wheelkeep.core.model import File, Was

WHEEL = file_of("demo-1.0-py3-none-any.whl", b"a", source="outer")
moments = st.none() | st.integers(0, 10**9).map(lambda seconds: later(seconds=-seconds))
words = st.none() | st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=20)


@st.composite
def files(draw: st.DrawFn) -> File:
    version = draw(st.integers(0, 9))
    return file_of(
        f"demo-{version}.0-py3-none-any.whl",
        draw(st.binary(max_size=4)),
        source="outer",
        yanked=draw(words),
        requires_python=draw(st.none() | st.just(">=3.8")),
        metadata=draw(st.none() | st.booleans() | st.just(sha("m"))),
        provenance=draw(st.none() | st.just("https://upstream.example/p")),
        digests=draw(st.sampled_from([{}, {"md5": "a" * 32}])),
        first_seen=draw(moments),
        absent=draw(moments),
        late=draw(st.booleans()),
        before=tuple(
            Was(until=later(days=-day), yanked=draw(words)) for day in draw(st.sets(st.integers(1, 9)))
        ),
        gone=draw(st.booleans()),
        left=draw(st.sampled_from([None, "file", "project", "quarantined"])),
        unstated=draw(st.booleans()),
        changed=draw(st.none() | st.just(sha("x"))),
    )


@given(st.lists(files(), min_size=1, max_size=4, unique_by=lambda file: file.filename))
def test_what_is_written_is_read(told: list[File]) -> None:
    project = read_project(document(*told, source="outer", kind="remote"), EMPTY)
    assert list(project.files) == told


def test_uploads_have_no_address_and_attestations_come_beside() -> None:
    one = file_of("demo-1.0-py3-none-any.whl", b"a", provenance="demo-1.0-py3-none-any.whl")
    told = document(one, states={one.filename: write_state(one, b"{}")}, used=("demo-0.1-py3-none-any.whl",))
    project = read_project(told, EMPTY)
    assert project.files == (replace(one, provenance=None),)
    assert project.states[one.filename].provenance == "{}"
    assert project.used == ("demo-0.1-py3-none-any.whl",)


def test_attestations_that_nobody_can_read_stay_behind() -> None:
    for odd in (b"\xff", b"[]", b'{"a": 1e400}', b"<html>"):
        assert write_state(WHEEL, odd).provenance is None


def test_the_place_in_the_log_is_proven() -> None:
    told = SeenFile(
        at="2026-01-01T00:00:00.000000Z", source="outer", project="demo", filename=WHEEL.filename,
        sha256=WHEEL.sha256 or "", salt="00" * 16,
    )  # fmt: skip
    entry = write_entry(told)
    tree = Checkpoint(KEY.public.name, 1, merkle.leaf_hash(entry))
    good = replace(write_state(WHEEL, None), entry=entry.decode(), place=0)
    lies = [
        replace(good, place=1),
        replace(good, proof=("AAAA",)),
        replace(good, proof=("!",)),
        replace(good, entry="{}"),
        replace(good, entry=write_entry(replace(told, sha256=sha("other"))).decode()),
        replace(good, entry=write_entry(replace(told, source="acme")).decode()),
    ]

    def of(state: State) -> Document:
        return document(WHEEL, source="outer", kind="remote", states={WHEEL.filename: state})

    assert read_project(of(good), tree).states[WHEEL.filename].place == 0
    for lie in lies:
        with pytest.raises(NotABundle):
            read_project(of(lie), tree)


def test_lines_of_the_ledger_stand_between_their_links() -> None:
    parts = (7, 1.5, "published", "outer", "demo", WHEEL.filename, '{"by":"ci"}')
    good = Line(
        number=7,
        at=1.5,
        kind="published",
        source="outer",
        project="demo",
        filename=WHEEL.filename,
        detail='{"by":"ci"}',
        before=BEGIN.hex(),
        link=link(BEGIN, parts).hex(),
    )

    def signed(**lie: object) -> Line:
        line = replace(good, **lie)
        what = (line.number, line.at, line.kind, line.source, line.project, line.filename, line.detail)
        return replace(line, link=link(BEGIN, what).hex())

    lies: list[dict[str, object]] = [
        {"at": 1e300},
        {"at": -1.0},
        {"number": 1 << 64},
        {"kind": "two\nlines"},
        {"filename": "other-1.0.tar.gz"},
        {"detail": '{"a":' + "[" * 50 + "]" * 50 + "}"},
        {"detail": '{"a":"%s"}' % ("x" * 300_000)},
    ]
    told = document(WHEEL, source="outer", kind="remote")
    assert read_project(replace(told, lines=(good, signed(filename=None))), EMPTY).lines[0] == good
    assert read_project(replace(told, lines=(good,)), EMPTY).lines == (good,)
    for lie in (
        replace(good, detail='{"by":"me"}'),
        replace(good, number=8),
        replace(good, project="other"),
        replace(good, before="zz"),
        replace(good, detail="[" * 100_000),
        replace(good, detail="[]"),
        *(signed(**lie) for lie in lies),
    ):
        with pytest.raises(NotABundle):
            read_project(replace(told, lines=(lie,)), EMPTY)


@pytest.mark.parametrize(
    "lie",
    [
        {"states": {}},
        {"states": {WHEEL.filename: State(), "demo-2.0-py3-none-any.whl": State()}},
        {"states": {WHEEL.filename: State(left="somehow")}},
        {"states": {WHEEL.filename: State(first_seen="yesterday")}},
        {"states": {WHEEL.filename: State(changed="<b>")}},
        {"states": {WHEEL.filename: State(before=(bundle.Was(until=written(NOW), yanked="two\nlines"),))}},
        {"states": {WHEEL.filename: State(provenance='"%s"' % ("x" * 1_000_001))}},
        {"states": {WHEEL.filename: State(provenance='{"a": 1e400}')}},
        {"states": {WHEEL.filename: State(provenance="[]")}},
        {"used": ("demo-0.1-py3-none-any.whl",)},
        {"used": ("other-0.1-py3-none-any.whl",), "kind": "hosted"},
        {"blocked": {"other-2.0.tar.gz": "why"}},
        {"states": {WHEEL.filename: State(before=(bundle.Was(until=written(NOW)),) * 51)}},
        {"blocked": {"other": "why"}},
        {"blocked": {WHEEL.filename: "why"}},
        {"blocked": {"demo-2.0.tar.gz": "two\nlines"}},
        {"checked": "now"},
        {"page": document(file_of("other-1.0.tar.gz", b"")).page},
        {"page": document(replace(WHEEL, sha256=None)).page},
        {"page": document(replace(WHEEL, size=None)).page},
    ],
)
def test_what_no_keep_writes_is_no_bundle(lie: dict[str, object]) -> None:
    with pytest.raises(NotABundle):
        read_project(replace(document(WHEEL, source="outer", kind="remote"), **lie), EMPTY)


def test_no_name_leads_anywhere() -> None:
    for name in ("../demo-1.0.tar.gz", "demo-1.0.tar.gz/..", "demo-1.0.tar.gz\0", "..", ""):
        told = document(replace(WHEEL, filename=name), source="outer", kind="remote")
        with pytest.raises(NotABundle):
            read_project(told, EMPTY)
        upload = document(WHEEL, used=(name,))
        with pytest.raises(NotABundle):
            read_project(upload, EMPTY)
    assert WHEEL.first_seen == NOW
