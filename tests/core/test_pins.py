"""A stored page only grows, and a hash once told stands."""

from msgspec.structs import replace

from fakes.made import NOW, file, later, page, sha, versions
from wheelkeep.core import pins
from wheelkeep.core.model import Status, Was


def test_a_first_page_is_taken_as_it_is_and_dated() -> None:
    told = page(*versions("1.0", "2.0"), told=("1.0", "2.0", "3.0"), status="deprecated")
    laid, incidents = pins.overlay(None, told, NOW)
    assert incidents == ()
    assert laid == replace(told, files=tuple(replace(one, first_seen=NOW) for one in told.files))


def test_what_is_new_is_dated_and_what_was_there_keeps_its_date() -> None:
    first, _ = pins.overlay(None, page(*versions("1.0")), NOW)
    second, _ = pins.overlay(first, page(*versions("1.0", "2.0")), later(days=1))
    assert [one.first_seen for one in second.files] == [NOW, later(days=1)]


def test_a_changed_hash_is_an_incident_and_the_first_stays_with_all_its_facts() -> None:
    old = file(sha256=sha("a"), size=1, yanked=None, requires_python=">=3.8", metadata=sha("m"))
    first, _ = pins.overlay(None, page(old), NOW)
    lie = file(sha256=sha("b"), size=2, url="https://elsewhere.example/x.whl", metadata=sha("n"), yanked="no")
    laid, incidents = pins.overlay(first, page(lie), later(days=1))
    assert laid.files == (replace(old, first_seen=NOW, changed=sha("b")),)
    assert incidents == (
        pins.Incident(kind="hash-changed", filename=old.filename, first=sha("a"), told=sha("b")),
    )


def test_the_same_lie_is_told_once_and_another_again() -> None:
    stored, _ = pins.overlay(None, page(file(sha256=sha("a"))), NOW)
    counts = []
    for told in ("b", "b", "c", "c", "a", "c"):
        stored, incidents = pins.overlay(stored, page(file(sha256=sha(told))), NOW)
        counts.append(len(incidents))
        assert stored.files[0].sha256 == sha("a")
    assert counts == [1, 0, 1, 0, 0, 0]


def test_what_the_standards_let_change_changes() -> None:
    proof = "https://upstream.example/proof"
    stored, _ = pins.overlay(None, page(file(upload_time="2020-01-01T00:00:00Z", size=5)), NOW)
    told = file(
        yanked="broken",
        metadata=sha("m"),
        provenance=proof,
        requires_python=">=3.9",
        url="https://new.example/demo.whl",
        size=7,
        upload_time="2026-01-01T00:00:00Z",
    )
    laid, incidents = pins.overlay(stored, page(told), later(days=1))
    was = (Was(until=later(days=1)),)
    expected = replace(
        told, size=5, resized=7, upload_time="2020-01-01T00:00:00Z", first_seen=NOW, before=was
    )
    assert (laid.files, incidents) == ((expected,), ())
    unyanked, _ = pins.overlay(laid, page(file()), later(days=2))
    assert unyanked.files[0].yanked is None
    assert unyanked.files[0].metadata == sha("m")


def test_a_hash_that_comes_later_is_the_first() -> None:
    stored, _ = pins.overlay(None, page(file(sha256=None, digests={"md5": "0" * 32})), NOW)
    told = file(sha256=sha("a"), digests={"md5": "0" * 32, "sha1": "1" * 40})
    laid, incidents = pins.overlay(stored, page(told), NOW)
    assert (laid.files[0].sha256, laid.files[0].digests, incidents) == (sha("a"), {"md5": "0" * 32}, ())
    again, incidents = pins.overlay(laid, page(file(sha256=None)), NOW)
    assert (again.files[0].sha256, incidents) == (sha("a"), ())


def test_without_a_sha256_the_other_digests_stand() -> None:
    first, other = {"md5": "0" * 32}, {"md5": "1" * 32}
    stored, _ = pins.overlay(None, page(file(sha256=None, digests=first)), NOW)
    counts = []
    for lie in (file(sha256=None, digests=other), file(sha256=sha("a"), digests=other)):
        stored, incidents = pins.overlay(stored, page(lie), NOW)
        (kept,) = stored.files
        assert (kept.sha256, kept.digests, kept.changed) == (None, first, f"md5:{'1' * 32}")
        counts += [(incident.first, incident.told) for incident in incidents]
    assert counts == [(f"md5:{'0' * 32}", f"md5:{'1' * 32}")]
    # Once there is a sha256 it decides alone: a page may name digests that nobody can compare.
    stored, _ = pins.overlay(None, page(file(sha256=sha("a"), digests=first)), NOW)
    _, incidents = pins.overlay(stored, page(file(sha256=sha("a"), digests=other)), NOW)
    assert incidents == ()


def test_what_vanishes_is_marked_and_comes_back() -> None:
    stored, _ = pins.overlay(None, page(*versions("1.0", "2.0")), NOW)
    laid, _ = pins.overlay(stored, page(*versions("2.0")), later(days=1))
    assert {one.version: one.gone for one in laid.files} == {"1.0": True, "2.0": False}
    back, incidents = pins.overlay(laid, page(*versions("1.0", "2.0")), later(days=2))
    assert ({one.version: one.gone for one in back.files}, incidents) == ({"1.0": False, "2.0": False}, ())
    assert all(one.first_seen == NOW for one in back.files)


def test_a_file_that_comes_back_as_another_is_an_incident() -> None:
    stored, _ = pins.overlay(None, page(file(sha256=sha("a"))), NOW)
    stored = pins.all_gone(stored)
    laid, incidents = pins.overlay(stored, page(file(sha256=sha("b"))), NOW)
    assert (laid.files[0].sha256, laid.files[0].gone, len(incidents)) == (sha("a"), False, 1)


def test_status_and_versions_are_those_of_the_new_page() -> None:
    stored, _ = pins.overlay(None, page(told=("1.0",), status="archived"), NOW)
    laid, _ = pins.overlay(stored, page(told=("2.0",), status="quarantined"), NOW)
    assert (laid.versions, laid.status) == (("2.0",), Status("quarantined"))


def test_a_name_that_left_keeps_its_files_as_gone() -> None:
    stored, _ = pins.overlay(None, page(*versions("1.0", "2.0")), NOW)
    gone = pins.all_gone(stored)
    assert [(one.version, one.gone) for one in gone.files] == [("1.0", True), ("2.0", True)]
    assert pins.all_gone(gone) == gone
    assert not pins.all_gone(replace(page(), unread=True)).unread


def test_what_the_bytes_taught() -> None:
    known, unknown = file(sha256=sha("a"), size=1), file("demo-2.0.tar.gz", sha256=None, size=None)
    laid = pins.learned(page(known, unknown), unknown.filename, sha256=sha("b"), size=9)
    assert laid.files == (known, replace(unknown, sha256=sha("b"), size=9, unstated=True))
    # That nobody stated it is forgotten once somebody states the same.
    told, incidents = pins.overlay(laid, page(known, replace(unknown, sha256=sha("b"))), NOW)
    assert ([one.unstated for one in told.files], incidents) == ([False, False], ())
    silent, _ = pins.overlay(laid, page(known, unknown), NOW)
    assert [(one.sha256, one.unstated) for one in silent.files] == [(sha("a"), False), (sha("b"), True)]
    # A size that the page told wrong is put right by the bytes with the stated hash, and by no others.
    assert pins.learned(page(known), known.filename, sha256=sha("a"), size=7).files[0].size == 7
    assert pins.learned(page(known), known.filename, sha256=sha("x"), size=7).files == (known,)


def test_quarantine_takes_what_is_listed_too_and_yanks_it_for_the_time_being() -> None:
    stored, _ = pins.overlay(None, page(*versions("1.0")), NOW)
    suspect, _ = pins.overlay(stored, page(*versions("1.0", "2.0"), status="quarantined"), later(days=1))
    assert [(one.version, one.gone, one.left) for one in suspect.files] == [
        ("1.0", True, "quarantined"),
        ("2.0", True, "quarantined"),
    ]
    told = replace(suspect, status=Status("quarantined", "it phones home"))
    assert {one.yanked for one in pins.suspected(told).files} == {
        "wheelkeep: in quarantine at its origin: it phones home"
    }
    # Also once the origin has removed the whole project.
    gone = pins.suspected(pins.all_gone(suspect))
    assert {one.yanked for one in gone.files} == {"wheelkeep: in quarantine at its origin"}
    back, _ = pins.overlay(suspect, page(*versions("1.0", "2.0")), later(days=2))
    assert {(one.gone, one.left, one.yanked) for one in pins.suspected(back).files} == {(False, None, None)}


def test_how_a_file_left_is_told_apart() -> None:
    stored, _ = pins.overlay(None, page(*versions("1.0", "2.0")), NOW)
    alone, _ = pins.overlay(stored, page(*versions("2.0")), later(days=1))
    assert [(one.version, one.left) for one in pins.departed(stored, alone)] == [("1.0", "file")]
    whole = pins.all_gone(alone)
    assert [(one.version, one.left) for one in pins.departed(alone, whole)] == [("2.0", "project")]
    # What is in quarantine is told of also where it had left before.
    suspect, _ = pins.overlay(whole, page(status="quarantined"), later(days=2))
    assert {one.left for one in pins.departed(whole, suspect)} == {"quarantined"}
    assert pins.departed(suspect, pins.all_gone(suspect)) == ()
    back, _ = pins.overlay(suspect, page(*versions("1.0", "2.0")), later(days=3))
    assert {(one.gone, one.left) for one in back.files} == {(False, None)}
    assert pins.departed(suspect, back) == pins.departed(None, None) == ()
