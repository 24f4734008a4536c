"""A remote index: what it said is kept, asked for again, only ever grown; and silence is never an absence."""

import asyncio
import hashlib
import inspect
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from fakes import faults
from fakes.dists import sdist, wheel
from fakes.made import DEMO, NOW
from fakes.outside import Outside
from fakes.stores import Store
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import Absent, Answer, File, Found, Status, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.pins import Incident
from wheelkeep.sources.client import Client
from wheelkeep.sources.limits import Limits
from wheelkeep.sources.remote import Remote
from wheelkeep.sources.source import PATIENCE_PAGE, Source

FRESH = timedelta(minutes=10)
OLD = timedelta(minutes=11)
NAME, BYTES = wheel("demo", "1.0")
NEXT, NEXT_BYTES = wheel("demo", "2.0")


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Asker:
    """A remote source with a clock of its own; what it tells is noted."""

    def __init__(
        self, outside: Outside, store: Store, *, url: str | None = None, limits: Limits | None = None
    ):
        self.now = NOW
        self.changed: list[ProjectName | None] = []
        self.incidents: list[Incident] = []
        self.departures: list[tuple[str, str | None]] = []
        self.store = store
        self.source = Remote(
            SourceName("pypi"),
            url=url or outside.url,
            fresh=FRESH,
            client=Client(url=url or outside.url, limits=limits or Limits(pause=0.01, patience=0.01)),
            pages=store.pages,
            facts=store.facts,
            blobs=store.blobs,
            changed=self.changed.append,
            incident=lambda _source, _project, incident: self.incidents.append(incident),
            left=lambda _source, _page, files: self.departures.extend((f.filename, f.left) for f in files),
            now=lambda: self.now,
        )

    def wait(self, time: timedelta = OLD) -> None:
        self.now += time

    async def page(self, project: str = "demo", *, patience: float = 5.0) -> Answer:
        return await self.source.page(ProjectName(project), patience=patience)

    async def found(self, project: str = "demo", *, patience: float = 5.0) -> Found:
        answer = await self.page(project, patience=patience)
        assert isinstance(answer, Found), answer
        return answer

    async def file(self, filename: str = NAME) -> File:
        answer = await self.found(filename.split("-", maxsplit=1)[0])
        return next(one for one in answer.page.files if one.filename == filename)

    async def told(self, count: int) -> None:
        """Waits until the source has told of so many changes."""
        while len(self.changed) < count:
            await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened


@pytest_asyncio.fixture
async def asker(outside: Outside, store: Store) -> AsyncIterator[Asker]:
    made = Asker(outside, store)
    await made.source.start()
    yield made
    await made.source.close()


@pytest_asyncio.fixture
async def asker_of(outside: Outside, store: Store) -> AsyncIterator[Callable[..., Asker]]:
    """Further sources on the same data, as after a restart or in another process."""
    made: list[Asker] = []

    def make(**settings: object) -> Asker:
        made.append(Asker(outside, store, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        await one.source.close()


def versions(answer: Answer) -> list[str]:
    assert isinstance(answer, Found), answer
    return [one.version for one in answer.page.files]


def requests(outside: Outside, project: str = "demo") -> int:
    return len(outside.asked(f"/simple/{project}/"))


async def test_it_is_a_source(asker: Asker) -> None:
    source: Source = asker.source
    assert (source.name, source.remote, await source.ready()) == ("pypi", True, True)


async def test_json_is_asked_for_first(outside: Outside, asker: Asker) -> None:
    outside.add(
        NAME, BYTES, yanked="broken", requires_python=">=3.8", metadata=b"M", provenance={"version": 1}
    )
    outside.projects_status["demo"] = ("deprecated", "use other")
    answer = await asker.found()
    (one,) = answer.page.files
    assert one == File(
        filename=NAME,
        project=DEMO,
        kind="wheel",
        version="1.0",
        source=SourceName("pypi"),
        url=f"{outside.origin}/files/demo/{NAME}",
        sha256=sha256(BYTES),
        size=len(BYTES),
        upload_time="2020-02-02T00:00:00.000000Z",
        requires_python=">=3.8",
        yanked="broken",
        metadata=sha256(b"M"),
        provenance=f"{outside.origin}/integrity/demo/1.0/{NAME}/provenance",
        first_seen=NOW,
    )
    assert answer.page.status == Status("deprecated", "use other")
    assert answer.page.versions == ("1.0",)
    assert (answer.checked, answer.stale, answer.good_until) == (NOW, None, NOW + FRESH)
    (asked,) = outside.asked("/simple/demo/")
    assert asked.headers["accept"].startswith("application/vnd.pypi.simple.v1+json,")
    assert "application/vnd.pypi.simple.v1+html;q=0.2" in asked.headers["accept"]


async def test_html_is_read_too_and_sizes_are_asked_for(outside: Outside, asker: Asker) -> None:
    outside.formats = ("html",)
    outside.add(NAME, BYTES, requires_python=">=3.8")
    outside.add(NEXT, NEXT_BYTES)
    answer = await asker.found()
    assert [(one.sha256, one.size) for one in answer.page.files] == [
        (sha256(BYTES), len(BYTES)),
        (sha256(NEXT_BYTES), len(NEXT_BYTES)),
    ]
    assert {request.method for request in outside.asked("/files/")} == {"HEAD"}
    asker.wait()
    outside.add(*sdist("demo", "3.0"))
    await asker.found()
    assert len(outside.asked("/files/")) == 3


async def test_a_size_that_nobody_tells_is_not_missed(outside: Outside, asker: Asker) -> None:
    outside.formats = ("html",)
    outside.add(NAME, BYTES)
    outside.faults["/files/"] = "error"
    assert [one.size for one in (await asker.found()).page.files] == [None]


async def test_a_fresh_page_is_not_asked_for_again(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    first = await asker.page()
    asker.wait(FRESH - timedelta(seconds=1))
    assert await asker.page() == first
    assert requests(outside) == 1


async def test_an_old_page_is_asked_for_under_its_etag(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    first = await asker.found()
    for round_ in (1, 2, 3):
        asker.wait()
        again = await asker.found()
        assert (again.page, again.checked, again.stale) == (first.page, asker.now, None)
        assert requests(outside) == 1 + round_
    assert all("if-none-match" in request.headers for request in outside.asked("/simple/demo/")[1:])
    outside.add(NEXT, NEXT_BYTES)
    asker.wait()
    assert versions(await asker.page()) == ["1.0", "2.0"]


async def test_a_page_outlives_a_restart(
    outside: Outside, asker: Asker, asker_of: Callable[..., Asker]
) -> None:
    outside.add(NAME, BYTES)
    first = await asker.page()
    again = asker_of()
    assert await again.page() == first
    assert requests(outside) == 1


async def test_a_remote_that_is_down_leaves_its_pages_standing(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    first = await asker.found()
    outside.stop()
    asker.wait()
    stale = await asker.found()
    assert stale.page == first.page
    assert stale.stale is not None
    assert stale.checked == NOW
    outside.start()
    outside.add(NEXT, NEXT_BYTES)
    asker.wait(timedelta(minutes=2))
    back = await asker.found()
    assert (versions(back), back.stale) == (["1.0", "2.0"], None)


async def test_a_source_that_failed_is_left_alone_for_a_moment(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    await asker.page()
    outside.faults["/simple/"] = "error"
    asker.wait()
    first = await asker.found()
    count = requests(outside)
    again = await asker.found()
    assert (again.stale, requests(outside)) == (first.stale, count)
    assert first.good_until is not None
    asker.now = first.good_until
    await asker.found()
    while requests(outside) == count:
        await asyncio.sleep(0.005)


def test_half_a_second_is_what_an_old_page_is_worth_waiting() -> None:
    told = inspect.signature(Remote.page).parameters["patience"].default
    assert told == PATIENCE_PAGE == 0.5


async def test_a_slow_answer_is_not_waited_for_and_not_lost(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    await asker.page()
    outside.add(NEXT, NEXT_BYTES)
    outside.faults["/simple/"] = faults.late(0.3)
    asker.wait()
    early = await asker.found(patience=0.01)
    assert (versions(early), early.stale is not None) == (["1.0"], True)
    assert early.good_until is not None
    assert early.good_until <= asker.now + timedelta(seconds=1)
    await asker.told(2)
    late = await asker.found(patience=0.01)
    assert (versions(late), late.stale) == (["1.0", "2.0"], None)
    assert requests(outside) == 2


async def test_what_hangs_is_not_waited_for_either(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    await asker.page()
    outside.faults["/simple/"] = "hang"
    asker.wait()
    assert (await asker.found(patience=0.01)).stale is not None
    assert (await asker.found(patience=0)).stale is not None


async def test_one_question_however_many_ask(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    outside.faults["/simple/"] = faults.late(0.1)
    answers = await asyncio.gather(*(asker.page() for _ in range(20)))
    assert all(versions(answer) == ["1.0"] for answer in answers)
    assert requests(outside) == 1
    assert asker.changed == [DEMO]


async def test_who_leaves_does_not_take_the_question_along(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    outside.faults["/simple/"] = faults.late(0.1)
    leaving = asyncio.create_task(asker.page())
    staying = asyncio.create_task(asker.page())
    await asyncio.sleep(0.03)
    leaving.cancel()
    assert versions(await staying) == ["1.0"]
    assert requests(outside) == 1


REFUSALS = [400, 401, 402, 403, 405, 410, 418, 429, 451, 500, 501, 502, 503, 504, 204, 206, 300]


async def test_only_a_clean_404_is_an_absence(outside: Outside, asker: Asker) -> None:
    for status in REFUSALS:
        project = f"nothing-{status}"
        outside.faults["/simple/"] = faults.status(status, retry_after=7, body=b"no")
        answer = await asker.page(project)
        assert isinstance(answer, Unreachable), status
        assert str(status) in answer.reason
        assert await asker.store.pages.get(SourceName("pypi"), ProjectName(project)) is None
        outside.faults.clear()
        assert isinstance(await asker.page(project), Absent)


async def test_a_refusal_leaves_a_known_page_standing(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    first = await asker.found()
    for status in REFUSALS:
        outside.faults["/simple/"] = faults.status(status)
        asker.wait()
        answer = await asker.found()
        assert (answer.page, answer.stale is not None) == (first.page, True), status


async def test_not_modified_is_no_answer_to_who_has_nothing(outside: Outside, asker: Asker) -> None:
    outside.etags = False
    outside.add(NAME, BYTES)
    outside.faults["/simple/"] = faults.status(304)
    assert isinstance(await asker.page(), Unreachable)
    outside.faults.clear()
    await asker.page()
    outside.faults["/simple/"] = faults.status(304)
    asker.wait()
    assert (await asker.found()).stale is not None


async def test_when_to_come_back_is_passed_on(outside: Outside, asker: Asker) -> None:
    for status in (403, 503):
        outside.faults["/simple/"] = faults.status(status, retry_after=7)
        answer = await asker.page()
        assert isinstance(answer, Unreachable)
        assert answer.retry_after == 7.0


JUNK = {
    "junk": faults.NAMED["junk"],
    "portal": faults.NAMED["portal"],
    "not-http": faults.NAMED["not-http"],
    "truncate": faults.NAMED["truncate"],
    "short-length": faults.NAMED["short-length"],
    "redirect-loop": faults.NAMED["redirect-loop"],
    "empty": faults.says(b"", "application/vnd.pypi.simple.v1+json"),
    "empty html": faults.says(b""),
    "no files": faults.says(b'{"meta": {"api-version": "1.0"}}', "application/vnd.pypi.simple.v1+json"),
    "version 2": faults.says(
        b'{"meta": {"api-version": "2.0"}, "name": "demo", "files": []}', "application/json"
    ),
    "another's": faults.says(
        b'{"meta": {"api-version": "1.0"}, "name": "other", "files": []}', "application/json"
    ),
    "deep": faults.says(b'{"files": ' + b"[" * 100_000, "application/json"),
    "text": faults.says(b'{"files": []}', "text/plain"),
    "image": faults.says(b"GIF89a", "image/gif"),
    "no type": faults.says(b"{}", ""),
    "type in no text": faults.says(b"{}", "text/pl\u00e4in"),
    "not found, with 200": faults.says(b"<html><body><h1>404 Not Found</h1></body></html>"),
}


async def test_junk_is_no_page_and_no_absence(outside: Outside, asker: Asker) -> None:
    outside.etags = False
    for number, (kind, fault) in enumerate(JUNK.items()):
        project = f"junk{number}"
        outside.add(*wheel(project, "1.0"))
        outside.faults["/simple/"] = fault
        assert isinstance(await asker.page(project), Unreachable), kind
        outside.faults.clear()
        first = await asker.found(project)
        outside.faults["/simple/"] = fault
        asker.wait()
        stale = await asker.found(project)
        assert (stale.page, stale.stale is not None) == (first.page, True), kind
    assert asker.incidents == []


async def test_a_page_of_which_no_file_can_be_read_takes_no_good_one_s_place(
    outside: Outside, asker: Asker
) -> None:
    outside.add(NAME, BYTES)
    first = await asker.found()
    unreadable = {"meta": {"api-version": "1.0"}, "files": [{"filename": NAME, "url": "javascript:x"}]}
    outside.faults["/simple/"] = faults.says(json.dumps(unreadable).encode(), "application/json")
    asker.wait()
    stale = await asker.found()
    assert (stale.page, stale.stale is not None) == (first.page, True)
    assert (await asker.found("other")).page.unread


async def test_a_header_in_no_text_costs_nothing_but_itself(outside: Outside, asker: Asker) -> None:
    outside.etags = False
    outside.add(NAME, BYTES)

    async def odd(exchange: faults.Exchange) -> None:
        await exchange.write(
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "\xff"\r\n'
            b"Content-Length: %d\r\n\r\n%b" % (len(page), page)
        )

    told = {"meta": {"api-version": "1.0"}, "files": [{"filename": NAME, "url": "x"}]}
    page = json.dumps(told).encode()
    outside.faults["/simple/"] = odd
    for _ in range(2):
        answer = await asker.found()
        assert (answer.stale, [file.filename for file in answer.page.files]) == (None, [NAME])
        asker.wait()


async def test_an_absence_is_believed_only_while_it_is_fresh(outside: Outside, asker: Asker) -> None:
    absent = await asker.page()
    assert absent == Absent(source=SourceName("pypi"), good_until=NOW + FRESH)
    outside.add(NAME, BYTES)
    asker.wait(timedelta(minutes=9))
    assert await asker.page() == absent
    assert requests(outside) == 1
    asker.wait(timedelta(minutes=1))
    assert versions(await asker.page()) == ["1.0"]


async def test_an_old_absence_is_no_answer_while_the_remote_is_down(outside: Outside, asker: Asker) -> None:
    assert isinstance(await asker.page(), Absent)
    outside.stop()
    asker.wait()
    assert isinstance(await asker.page(), Unreachable)


async def test_a_clock_that_was_set_back_makes_nothing_young(outside: Outside, asker: Asker) -> None:
    assert isinstance(await asker.page(), Absent)
    outside.add(NAME, BYTES)
    asker.wait(-timedelta(days=400))
    assert versions(await asker.page()) == ["1.0"]


async def test_a_changed_hash_is_an_incident_and_the_first_one_stays(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    first = await asker.file()
    outside.change(NAME, b"other bytes")
    for _ in range(3):
        asker.wait()
        changed = await asker.file()
        assert (changed.sha256, changed.changed) == (first.sha256, sha256(b"other bytes"))
        assert changed.size == first.size
    assert asker.incidents == [
        Incident(kind="hash-changed", filename=NAME, first=sha256(BYTES), told=sha256(b"other bytes"))
    ]


async def test_a_file_that_vanished_is_shown_while_its_bytes_are_kept(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    outside.add(NEXT, NEXT_BYTES)
    await asker.page()
    await asker.store.keep(BYTES)
    outside.remove(NAME)
    outside.remove(NEXT)
    outside.add(*sdist("demo", "3.0"))
    asker.wait()
    answer = await asker.found()
    assert [(one.version, one.gone) for one in answer.page.files] == [("3.0", False), ("1.0", True)]
    assert asker.departures == [(NAME, "file")]
    outside.remove(sdist("demo", "3.0")[0])
    asker.wait()
    assert versions(await asker.page()) == ["1.0"]
    outside.add(NEXT, b"bytes that were not there before")
    asker.wait()
    assert {one.version: one.sha256 for one in (await asker.found()).page.files} == {
        "2.0": sha256(NEXT_BYTES),
        "1.0": sha256(BYTES),
    }
    assert [incident.filename for incident in asker.incidents] == [NEXT]


async def test_a_name_of_which_nothing_was_kept_is_gone_with_a_clean_404(
    outside: Outside, asker: Asker
) -> None:
    outside.add(NAME, BYTES)
    await asker.page()
    outside.remove(NAME)
    asker.wait()
    answer = await asker.found()
    assert (answer.page.files, answer.claims, answer.stale) == ((), False, None)


async def test_a_project_without_files_is_found(outside: Outside, asker: Asker) -> None:
    outside.empty("demo")
    outside.projects_status["demo"] = ("quarantined", None)
    answer = await asker.found()
    assert (answer.page.files, answer.page.status) == ((), Status("quarantined"))


async def test_what_is_kept_of_a_quarantined_project_is_shown_yanked(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    outside.add(NEXT, NEXT_BYTES)
    await asker.page()
    await asker.store.keep(BYTES)
    # A page that lists files all the same offers none (PEP 792): what is not here does not come.
    outside.projects_status["demo"] = ("quarantined", "it phones home")
    asker.wait()
    (kept,) = (await asker.found()).page.files
    assert (kept.filename, kept.yanked) == (NAME, "wheelkeep: in quarantine at its origin: it phones home")
    assert asker.departures == [(NAME, "quarantined")]
    del outside.projects_status["demo"]
    asker.wait()
    assert [one.yanked for one in (await asker.found()).page.files] == [None, None]


async def test_links_to_other_projects_files_are_no_files(outside: Outside, asker: Asker) -> None:
    outside.add("evil-1.0-py3-none-any.whl", b"x", project="demo")
    outside.add("../../etc/passwd", b"x", project="demo")
    outside.add(NAME, BYTES)
    assert [one.filename for one in (await asker.found()).page.files] == [NAME]


async def test_two_keeps_on_one_store_see_each_other_s_pages(
    outside: Outside, asker: Asker, asker_of: Callable[..., Asker]
) -> None:
    other = asker_of()
    outside.add(NAME, BYTES)
    await asyncio.gather(asker.page(), other.page())
    outside.change(NAME, b"other bytes")
    other.wait()
    assert (await other.file()).sha256 == sha256(BYTES)
    asker.wait()
    assert (await asker.file()).changed == sha256(b"other bytes")


async def test_the_source_s_health_is_known_after_a_restart(
    outside: Outside, asker: Asker, asker_of: Callable[..., Asker]
) -> None:
    outside.add(NAME, BYTES)
    await asker.page()
    assert (asker.source.health.answered, asker.source.health.reason) == (NOW, None)
    outside.faults["/simple/"] = "error"
    asker.wait()
    await asker.page()
    down = asker.source.health
    assert (down.answered, down.failed, down.reason) == (NOW, asker.now, "it answered 500")
    while (await asker.store.facts.health()).get("pypi") != down:
        await asyncio.sleep(0.005)
    again = asker_of()
    await again.source.start()
    assert again.source.health == down


async def test_a_file_s_bytes(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    file = await asker.file()
    async with asker.source.open(file) as stream:
        assert stream.length == len(BYTES)
        assert b"".join([piece async for piece in stream.chunks()]) == BYTES
    assert await asker.source.piece(file, 10, 20) == (BYTES[10:20], len(BYTES))
    assert await asker.source.piece(file, -20, 0) == (BYTES[-20:], len(BYTES))
    outside.ranges = False
    assert await asker.source.piece(file, 10, 20) is None
    outside.remove(NAME)
    with pytest.raises(FileMissing):
        async with asker.source.open(file):
            pass
    outside.faults["/files/"] = "forbidden"
    with pytest.raises(Unanswered):
        async with asker.source.open(file):
            pass


async def test_metadata_beside_a_file(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES, metadata=b"Name: demo\n")
    outside.add(NEXT, NEXT_BYTES)
    file = await asker.file()
    assert await asker.source.metadata(file) == b"Name: demo\n"
    assert await asker.source.metadata(await asker.file(NEXT)) is None
    outside.faults[f"/files/demo/{NAME}.metadata"] = faults.says(b"Name: evil\n", "text/plain")
    assert await asker.source.metadata(file) is None
    assert asker.incidents == [
        Incident(
            kind="metadata-differs",
            filename=NAME,
            first=sha256(b"Name: demo\n"),
            told=sha256(b"Name: evil\n"),
        )
    ]
    outside.faults[f"/files/demo/{NAME}.metadata"] = "gone"
    assert await asker.source.metadata(file) is None
    outside.faults[f"/files/demo/{NAME}.metadata"] = "down"
    with pytest.raises(Unanswered):
        await asker.source.metadata(file)


async def test_what_is_known_is_told_without_asking_anybody(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    assert await asker.source.known(DEMO) is None
    assert outside.log == []
    await asker.page()
    asker.wait()
    known = await asker.source.known(DEMO)
    assert known is not None
    assert [one.version for one in known.files] == ["1.0"]
    assert len(outside.log) == 1


@pytest.mark.parametrize("formats", [("json",), ("html",)])
async def test_the_list_of_names(outside: Outside, asker: Asker, formats: tuple[str, ...]) -> None:
    outside.formats = formats
    for name in ("demo", "Other.Name", "bad name"):
        outside.empty(name)
    assert await asker.source.names(patience=5) == ["demo", "other-name"]
    outside.empty("new")
    asker.wait(timedelta(hours=23))
    assert await asker.source.names(patience=5) == ["demo", "other-name"]
    assert len(outside.log) == 1
    asker.wait(timedelta(hours=2))
    assert await asker.source.names(patience=5) == ["demo", "new", "other-name"]
    outside.stop()
    asker.wait(timedelta(days=2))
    assert await asker.source.names(patience=5) == ["demo", "new", "other-name"]


async def test_a_list_that_does_not_come_is_none(outside: Outside, asker: Asker) -> None:
    for fault in ("error", "junk", faults.says(b"{}", "application/json"), faults.status(404)):
        outside.faults["/simple/"] = fault
        assert await asker.source.names(patience=5) is None
    outside.faults["/simple/"] = "hang"
    assert await asker.source.names(patience=0.01) is None


async def test_the_legacy_document(outside: Outside, asker: Asker) -> None:
    outside.add(NAME, BYTES)
    document = await asker.source.document("json", "demo")
    assert document is not None
    assert json.loads(document)["info"]["name"] == "demo"
    assert await asker.source.document("json", "demo") == document
    assert len(outside.asked("/pypi/demo/json")) == 1
    assert await asker.source.document("json", "nothing") is None
    asker.wait()
    outside.stop()
    assert await asker.source.document("json", "demo") == document
    with pytest.raises(Unanswered):
        await asker.source.document("json", "other")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"\xff": 1}', b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    ids=["empty", "html", "list", "not utf-8", "deep"],
)
async def test_a_legacy_document_that_is_none(outside: Outside, asker: Asker, body: bytes) -> None:
    outside.add(NAME, BYTES)
    outside.faults["/pypi/"] = faults.says(body, "application/json")
    with pytest.raises(Unanswered, match="not JSON"):
        await asker.source.document("json", "demo")
    outside.faults.clear()
    document = await asker.source.document("json", "demo")
    outside.faults["/pypi/"] = faults.says(body, "application/json")
    asker.wait()
    assert await asker.source.document("json", "demo") == document


async def test_no_legacy_document_beside_what_is_not_simple(
    outside: Outside, asker_of: Callable[..., Asker]
) -> None:
    asker = asker_of(url=f"{outside.origin}/root/pypi/+simple/")
    assert await asker.source.document("json", "demo") is None
    assert outside.log == []


async def test_provenance(outside: Outside, asker: Asker) -> None:
    proof = {"version": 1, "attestation_bundles": []}
    outside.add(NAME, BYTES, provenance=proof)
    file = await asker.file()
    assert file.provenance is not None
    document = await asker.source.document("provenance", NAME, file.provenance)
    assert document is not None
    assert json.loads(document) == proof
    outside.remove(NAME)
    asker.wait()
    assert await asker.source.document("provenance", NAME, file.provenance) is None


async def test_closing_ends_what_is_under_way(outside: Outside, store: Store) -> None:
    outside.faults["/"] = "hang"
    asker = Asker(outside, store)
    waiting = [
        asyncio.create_task(asker.page()),
        asyncio.create_task(asker.source.names(patience=60)),
    ]
    while len(outside.log) < 2:
        await asyncio.sleep(0.005)
    await asker.source.close()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], Unreachable)
    assert answers[1] is None


def test_the_clock_is_the_wall_s_in_utc() -> None:
    clock = inspect.signature(Remote.__init__).parameters["now"].default
    moment = clock()
    assert isinstance(moment, datetime)
    assert moment.utcoffset() == timedelta(0)


async def test_what_was_seen_first_stands_where_the_page_was_lost(outside: Outside, asker: Asker) -> None:
    """Whoever takes a page out of the database does not make room for other bytes: the log's entries remain."""
    outside.add(NAME, BYTES)
    outside.add(NEXT, NEXT_BYTES)
    first = await asker.file()
    async with asker.store.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM pages")
    outside.change(NAME, b"other bytes", sha256=sha256(b"other bytes"))
    asker.wait()
    again = await asker.file()
    assert (again.sha256, again.changed) == (first.sha256, sha256(b"other bytes"))
    assert [(one.kind, one.filename) for one in asker.incidents] == [("hash-changed", NAME)]
    assert (await asker.file(NEXT)).changed is None
    asker.wait()
    assert (await asker.file()).sha256 == first.sha256
    assert len(asker.incidents) == 1
