"""What a source may offer at all, and whose a reserved name is."""

import pytest

from fakes.made import DEMO, page, versions
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection

ALL = page(*versions("1.0", "1.5", "2.0", "2.1rc1"), told=("1.0", "1.5", "2.0", "2.1rc1"))


def left(include: list[str] | None, exclude: list[str]) -> list[str]:
    return [one.version for one in Selection(include, exclude).apply(ALL).files]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (None, [], ["1.0", "1.5", "2.0", "2.1rc1"]),
        ([], [], []),
        (["demo"], [], ["1.0", "1.5", "2.0", "2.1rc1"]),
        (["Demo<2"], [], ["1.0", "1.5"]),
        (["demo==1.0", "demo>=2"], [], ["1.0", "2.0", "2.1rc1"]),
        (["other"], [], []),
        (["d*"], [], ["1.0", "1.5", "2.0", "2.1rc1"]),
        (None, ["demo"], []),
        (None, ["d*"], []),
        (None, ["demo<2"], ["2.0", "2.1rc1"]),
        (["demo"], ["demo"], []),
        (["demo<2"], ["demo==1.5"], ["1.0"]),
        (["*"], ["other"], ["1.0", "1.5", "2.0", "2.1rc1"]),
    ],
)
def test_exclude_beats_include(include: list[str] | None, exclude: list[str], expected: list[str]) -> None:
    assert left(include, exclude) == expected


def test_versions_go_with_their_last_file() -> None:
    assert Selection(None, ["demo<2"]).apply(ALL).versions == ("2.0", "2.1rc1")
    assert Selection(None, ["other"]).apply(ALL) is ALL


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (None, [], True),
        ([], [], False),
        (["demo>9"], [], True),
        (["other"], [], False),
        (None, ["demo"], False),
        (None, ["demo<2"], True),
        (None, ["de*"], False),
        (["demo"], ["demo<2", "d?mo"], False),
    ],
)
def test_whether_a_source_need_be_asked_at_all(
    include: list[str] | None, exclude: list[str], expected: bool
) -> None:
    assert Selection(include, exclude).may_have(DEMO) is expected


def test_reservations() -> None:
    acme, vendor, pypi = SourceName("acme"), SourceName("vendor"), SourceName("pypi")
    reserved = Reservations([(acme, ["Acme_*", "acmelib"]), (vendor, ["acme-vendor-*"]), (pypi, [])])
    assert reserved.owners(ProjectName("acme-core")) == {acme}
    assert reserved.owners(ProjectName("acmelib")) == {acme}
    assert reserved.owners(ProjectName("acme-vendor-x")) == {acme, vendor}
    assert reserved.owners(ProjectName("acme")) == frozenset()
    assert reserved.owners(ProjectName("acmelib2")) == frozenset()
