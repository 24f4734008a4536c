"""What a resolver is shown: all that may come in, stand-ins for sdists, and needs in place of bytes."""

import pytest

from fakes.dists import metadata
from fakes.made import DEMO, NOW, allow, deny, file, page
from wheelkeep.core.candidates import candidates, needs, no_needs, speaks_for, stand_in
from wheelkeep.core.gates import Context
from wheelkeep.core.judge import judge
from wheelkeep.core.model import File
from wheelkeep.core.policy import Policy

CONTEXT = Context(now=NOW)


def shown(*files: File, denied: str = "nothing") -> dict[str, str | None]:
    """The listed names, each with why it is yanked."""
    listing = candidates(judge(page(*files), Policy([deny(denied)]), CONTEXT))
    assert all(one.metadata is True and not one.hashes for one in listing.files)
    assert all(one.url == f"../../files/demo/{one.filename}" for one in listing.files)
    return {one.filename: one.yanked for one in listing.files}


def test_a_wheel_stands_in_for_sdists() -> None:
    foreign = file("demo-1.0-cp39-cp39-win_amd64.whl")
    assert shown(foreign, file("demo-1.0.tar.gz"), file("demo-1.0.zip"), file("demo-2.0.tar.gz")) == {
        foreign.filename: None,
        "demo-1.0-py3-none-any.whl": None,
        "demo-2.0-py3-none-any.whl": None,
    }
    assert stand_in(DEMO, "1.0+x") == "demo-1.0+x-py3-none-any.whl"


def test_a_wheel_of_that_name_needs_nobody_to_stand_in() -> None:
    wheel = file(requires_python=">=3.9")
    listing = candidates(judge(page(wheel, file("demo-1.0.tar.gz")), Policy([]), CONTEXT))
    assert [(one.filename, one.requires_python) for one in listing.files] == [(wheel.filename, ">=3.9")]


def test_what_a_gate_blocks_is_yanked_with_the_reason() -> None:
    told = shown(file(), file("demo-2.0.tar.gz"), file("demo-3.0.tar.gz", yanked="bad day"), denied="demo<3")
    assert told["demo-1.0-py3-none-any.whl"] == 'wheelkeep: deny: denied as "demo<3"'
    assert told["demo-2.0-py3-none-any.whl"] == 'wheelkeep: deny: denied as "demo<3"'
    assert told["demo-3.0-py3-none-any.whl"] == "bad day"


def test_who_speaks_for_a_listed_name() -> None:
    sdist, other = file("demo-1.0.tar.gz"), file("demo-1.0-cp39-cp39-win_amd64.whl")
    files = (sdist, other, file("demo-2.0.tar.gz"))
    assert speaks_for(files, DEMO, other.filename) == (other,)
    assert speaks_for(files, DEMO, "demo-1.0-py3-none-any.whl") == (other, sdist)
    assert speaks_for(files, DEMO, "demo-1.0.tar.gz") == ()


@pytest.mark.parametrize(
    ("form", "more", "certain"),
    [
        ("2.1", "", False),
        ("2.2", "", True),
        ("2.4", "Dynamic: Version\nDynamic: License-File\n", True),
        ("2.2", "Dynamic: Requires-Dist\n", False),
        ("2.2", "Dynamic: provides-extra\n", False),
        ("x", "", False),
    ],
)
def test_what_an_sdist_needs_and_whether_that_is_certain(form: str, more: str, certain: bool) -> None:
    info = metadata("Demo", "1.0", ["a", "b ; extra == 'x'"], ">=3.9", form=form) + more
    told = needs(info.encode(), DEMO, "1.0")
    assert told.certain is certain
    assert told.metadata.decode().splitlines() == [
        "Metadata-Version: 2.2",
        "Name: demo",
        "Version: 1.0",
        "Requires-Python: >=3.9",
        "Requires-Dist: a",
        "Requires-Dist: b ; extra == 'x'",
    ]
    assert no_needs(DEMO, "1.0") == b"Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n"


def test_a_policy_less_its_allow_list() -> None:
    policy = Policy([allow("demo<2"), deny("demo==1.0")])
    assert policy.has_list
    assert [policy.lists(one, CONTEXT) for one in (file(), file("demo-2.0.tar.gz"))] == [True, False]
    assert policy.lists(file(source="acme"), CONTEXT) is None
    free = policy.without_allow()
    assert not free.has_list
    decisions = judge(page(file(), file("demo-2.0.tar.gz")), free, CONTEXT).decisions
    assert [one.admitted for one in decisions] == [False, True]
