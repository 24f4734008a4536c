"""A page judged: a decision for every file, in order, and how long it holds."""

from datetime import UTC, date, datetime

from fakes.made import NOW, allow, deny, file, page, versions, waiver
from wheelkeep.core.gates import Context
from wheelkeep.core.judge import judge
from wheelkeep.core.policy import Policy, decide

CONTEXT = Context(now=NOW)
PAGE = page(*versions("1.0", "2.0", "3.0"))


def test_a_decision_for_every_file_in_the_page_s_order() -> None:
    judged = judge(PAGE, Policy([deny("demo==2.0")]), CONTEXT)
    assert judged.page is PAGE
    assert [decision.admitted for decision in judged.decisions] == [True, False, True]
    assert (judged.nothing_admitted, judged.good_until) == (False, None)


def test_a_file_is_found_by_its_exact_name() -> None:
    judged = judge(PAGE, Policy([deny("demo==2.0")]), CONTEXT)
    entry = judged.find("demo-2.0-py3-none-any.whl")
    assert entry == (PAGE.files[1], judged.decisions[1])
    for name in ("Demo-2.0-py3-none-any.whl", "demo-9.0-py3-none-any.whl", "", "demo-2.0-py3-none-any.whl "):
        assert judged.find(name) is None


def test_nothing_admitted_means_files_that_are_all_withheld() -> None:
    assert judge(PAGE, Policy([deny("demo")]), CONTEXT).nothing_admitted
    assert not judge(PAGE, Policy([allow("demo==1.0")]), CONTEXT).nothing_admitted
    assert not judge(page(), Policy([deny("demo")]), CONTEXT).nothing_admitted


def test_it_holds_until_the_first_waiver_is_over() -> None:
    waivers = [
        waiver("demo==1.0", "deny", until=date(2026, 12, 31)),
        waiver("demo==2.0", "deny", until=date(2026, 11, 30)),
        waiver("other", "deny", until=date(2026, 11, 22)),
    ]
    judged = judge(PAGE, Policy([deny("demo")], waivers), CONTEXT)
    assert [decision.admitted for decision in judged.decisions] == [True, True, False]
    assert judged.good_until == datetime(2026, 12, 1, tzinfo=UTC)


def test_files_of_several_sources_are_judged_by_their_own() -> None:
    mixed = page(file(source="vendor"), file("demo-2.0.tar.gz", source="pypi"))
    judged = judge(mixed, Policy([deny("demo", sources=("pypi",))]), CONTEXT)
    assert [decision.admitted for decision in judged.decisions] == [True, False]


def test_each_file_is_decided_as_if_it_were_alone() -> None:
    """Decisions that are alike are made once; a waiver, or another gate's word, ends the likeness."""
    policy = Policy([deny("demo<1.2"), allow("demo!=1.4")], [waiver("demo==1.1", "deny")])
    whole = page(*versions("0.9", "1.0", "1.1", "1.2", "1.3", "1.4", "1.5"))
    judged = judge(whole, policy, CONTEXT)
    assert judged.decisions == tuple(decide(policy, one, CONTEXT) for one in whole.files)
    assert [decision.admitted for decision in judged.decisions] == [
        False,
        False,
        True,
        True,
        True,
        False,
        True,
    ]
