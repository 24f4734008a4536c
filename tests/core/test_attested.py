"""Who is the same publisher, and which file sets the standard for those after it."""

from typing import Any

import pytest

from fakes import made
from fakes.made import NOW, later
from wheelkeep.core.attested import Fact, Publisher, Remembered, Standard, find_standard
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName

ACME = Publisher(kind="GitHub", name="acme/demo", workflow="release.yml")
VERIFIED = Fact(state="verified", publishers=(ACME,))


def wheel(version: str, day: int, **told: Any) -> File:
    stamp = f"{later(days=day):%Y-%m-%dT%H:%M:%SZ}"
    ordinary = {"upload_time": stamp, "provenance": "https://upstream.example/p"}
    return made.file(f"demo-{version}-py3-none-any.whl", **(ordinary | told))


def remembered(version: str, day: int) -> Remembered:
    return Remembered(
        source=SourceName("pypi"),
        filename=f"demo-{version}-py3-none-any.whl",
        version=version,
        sha256="a" * 64,
        fact=VERIFIED,
        came=later(days=day),
        roots="",
        checked=NOW,
    )


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"name": "Acme/Demo", "workflow": "other.yml"}, True),
        ({"name": "evil/demo"}, False),
        ({"kind": "GitLab"}, False),
        ({"number": "7"}, True),
    ],
)
def test_a_publisher_is_known_by_kind_and_name(other: dict[str, str], same: bool) -> None:
    told = {"kind": "GitHub", "name": "acme/demo", "workflow": "release.yml"} | other
    assert ACME.same(Publisher(**told)) is same


def test_a_number_outlives_a_name_and_does_not_come_back() -> None:
    numbered = Publisher(kind="GitHub", name="acme/demo", number="7")
    assert numbered.same(Publisher(kind="GitHub", name="moved/demo", number="7"))
    assert not numbered.same(Publisher(kind="GitHub", name="acme/demo", number="8"))


def test_the_first_attested_file_by_time_sets_the_standard() -> None:
    files = [wheel("1.0", 5), wheel("2.0", 3), wheel("3.0", 4), wheel("0.1", 1, provenance=None)]
    facts = {file.filename: VERIFIED for file in files[:3]}
    found = find_standard(files, facts, [])
    assert found is not None
    assert (found.version, found.publishers) == ("2.0", (ACME,))
    assert [found.before(file) for file in files] == [True, False, True, False]


def test_a_claim_that_is_not_verified_yet_stands_until_it_proves_false() -> None:
    files = [wheel("1.0", 1), wheel("2.0", 2)]
    facts = {files[1].filename: VERIFIED}
    found = find_standard(files, facts, [])
    assert found is not None and (found.version, found.publishers) == ("1.0", None)
    for state in ("false", "foreign", "none"):
        found = find_standard(files, facts | {files[0].filename: Fact(state=state)}, [])  # type: ignore[arg-type]
        assert found is not None and found.version == "2.0"
    assert find_standard(files, {file.filename: Fact(state="false") for file in files}, []) is None


def test_what_is_listed_no_more_is_remembered() -> None:
    late = wheel("3.0", 9, provenance=None)
    found = find_standard([late], {}, [remembered("2.0", 4), remembered("1.0", 2)])
    assert found is not None and found.version == "1.0"
    assert found.before(late)


def test_a_backdated_file_on_a_known_page_came_when_it_was_seen() -> None:
    standard = Standard(filename="x", version="1.0", came=NOW, publishers=(ACME,))
    assert not standard.before(wheel("0.9", -1))
    assert standard.before(wheel("0.9", -1, first_seen=later(days=1), late=True))


def test_without_times_versions_decide_and_what_is_unknown_counts_as_later() -> None:
    files = [wheel(version, 0, upload_time=None, first_seen=NOW) for version in ("1.0", "2.0", "3.0")]
    files[0] = wheel("1.0", 0, upload_time=None, first_seen=NOW, provenance=None)
    found = find_standard(files, {files[1].filename: VERIFIED}, [])
    assert found is not None and found.version == "2.0"
    assert [found.before(file) for file in files] == [False, False, True]
    assert found.before(wheel("0.1", 0, upload_time=None))
