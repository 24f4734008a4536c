"""What a bundle tells of a page joins what is stored: what was first stands, and the newer word holds for what
may change."""

from msgspec.structs import replace

from fakes.made import NOW, file, later, page, sha, versions
from wheelkeep.core.grown import grown, hosted
from wheelkeep.core.model import Was

A, B = "demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"


def test_a_page_that_was_not_there_is_taken_with_its_past() -> None:
    told = page(replace(file(A), first_seen=NOW, late=True, absent=later(days=-1)), status="deprecated")
    assert grown(None, told, later(days=9), {}, newer=True) == (told, ())


def test_what_only_one_of_them_has_stays() -> None:
    both, clashes = grown(page(file(A), told=("1.0",)), page(file(B)), NOW, {}, newer=True)
    assert [one.filename for one in both.files] == [A, B]
    assert clashes == ()
    assert both.versions == ("1.0",)


def test_it_is_the_same_the_second_time_and_with_an_older_one() -> None:
    first, _ = grown(None, page(*versions("1.0", "2.0")), NOW, {}, newer=True)
    for newer in (True, False):
        assert grown(first, page(*versions("1.0")), later(days=1), {}, newer=newer) == (first, ())


def test_other_bytes_are_a_clash_and_the_first_stay() -> None:
    here, there = file(A, sha256=sha("a"), yanked=None), file(A, sha256=sha("b"), yanked="no")
    after, clashes = grown(page(here), page(there), NOW, {}, newer=True)
    assert after.files == (replace(here, changed=sha("b")),)
    assert [(one.incident.first, one.incident.told, one.known) for one in clashes] == [
        (sha("a"), sha("b"), False)
    ]
    again, clashes = grown(after, page(there), NOW, {}, newer=True)
    assert (again, [one.known for one in clashes]) == (after, [True])


def test_what_was_seen_first_stands_where_its_page_was_lost() -> None:
    after, clashes = grown(None, page(file(A, sha256=sha("b"))), NOW, {A: sha("a")}, newer=True)
    assert after.files == ()
    assert [(one.incident.first, one.incident.told) for one in clashes] == [(sha("a"), sha("b"))]


def test_a_hash_that_no_page_told_here_is_learnt() -> None:
    after, _ = grown(page(file(A, sha256=None)), page(file(A, sha256=sha("b"), size=3)), NOW, {}, newer=False)
    assert (after.files[0].sha256, after.files[0].size) == (sha("b"), 3)


def test_the_newer_word_holds_and_the_past_is_kept() -> None:
    here = replace(file(A), first_seen=NOW)
    was = Was(until=later(hours=1), yanked=None)
    there = replace(file(A), first_seen=later(hours=-1), yanked="it burns", before=(was,))
    after, _ = grown(
        page(here, status="active"), page(there, status="archived"), later(days=1), {}, newer=True
    )
    assert after.files == (replace(here, yanked="it burns", before=(was,)),)
    assert after.status is not None and after.status.status == "archived"
    older, _ = grown(after, page(here, status="active"), later(days=2), {}, newer=False)
    assert older == after
    # Whoever sent it never saw the file otherwise: it is otherwise from now on.
    sudden = replace(there, before=())
    after, _ = grown(page(here), page(sudden), later(days=1), {}, newer=True)
    assert after.files[0].before == (Was(until=later(days=1), yanked=None),)


def test_of_uploads_only_their_own_yanks_are_undone() -> None:
    here = file(A, yanked="ours")
    assert hosted(here, file(A), NOW) == here
    theirs = replace(file(A), before=(Was(until=NOW, yanked="theirs"),))
    yanked = hosted(file(A), replace(file(A), yanked="theirs"), NOW)
    assert (yanked.yanked, yanked.before) == ("theirs", (Was(until=NOW, yanked=None),))
    assert hosted(yanked, theirs, later(days=1)).yanked is None
    assert hosted(here, theirs, NOW) == here
