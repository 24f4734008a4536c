"""The cooldown gate: what is young is held, by whichever clock is later, until a moment that it tells."""

from datetime import timedelta

from msgspec.structs import replace

from fakes import made
from fakes.made import NOW, later
from wheelkeep.core.arrival import clock
from wheelkeep.core.cooldown import CooldownGate
from wheelkeep.core.gates import Context
from wheelkeep.core.judge import judge
from wheelkeep.core.policy import Policy
from wheelkeep.core.verdict import Outcome, Verdict


def gate(days: int = 7, *excepted: str) -> CooldownGate:
    return CooldownGate(timedelta(days=days), made.rules(*excepted), made.governed())


def said(gate: CooldownGate, **told: object) -> Verdict:
    return gate.verdict(made.file(**told), Context(now=NOW))


def stamp(**passed: float) -> str:
    return f"{later(**passed):%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_young_file_is_held_until_it_is_old_enough() -> None:
    verdict = said(gate(), upload_time=stamp(days=-2), first_seen=later(days=-2))
    assert verdict.outcome is Outcome.HELD
    assert verdict.until == later(days=5)
    assert f"{later(days=5):%Y-%m-%d}" in verdict.sentence


def test_an_old_file_passes_at_a_first_look() -> None:
    assert said(gate(), upload_time=stamp(days=-8), first_seen=NOW).code == "cooldown-over"


def test_a_backdated_file_on_a_known_page_counts_from_first_sight() -> None:
    verdict = said(gate(), upload_time=stamp(days=-800), first_seen=later(days=-1), late=True)
    assert verdict.until == later(days=6)


def test_without_an_upload_time_it_counts_from_first_sight() -> None:
    assert said(gate(), upload_time=None, first_seen=later(days=-8)).admits
    assert said(gate(), upload_time=None, first_seen=later(days=-6)).outcome is Outcome.HELD


def test_what_nobody_knows_blocks() -> None:
    verdict = said(gate(), upload_time=None, first_seen=None)
    assert (verdict.outcome, verdict.code) == (Outcome.BLOCKED, "cooldown-unknown")


def test_an_upload_time_in_the_future_gains_nothing() -> None:
    assert clock(made.file(upload_time=stamp(days=3), first_seen=NOW)) == later(days=3)


def test_a_time_at_the_end_of_the_calendar_holds_for_ever() -> None:
    verdict = said(gate(), upload_time="9999-12-31T23:59:59Z", first_seen=NOW)
    assert verdict.outcome is Outcome.HELD
    assert verdict.until is not None
    assert verdict.until.timestamp() > later(days=365_000).timestamp()
    assert said(gate(), upload_time="0001-01-01T00:00:00Z", first_seen=NOW).admits


def test_exceptions_pass_at_once() -> None:
    assert said(gate(7, "de*"), upload_time=stamp(seconds=-1)).code == "cooldown-excepted"


def test_a_page_is_good_until_its_first_file_becomes_free() -> None:
    young = [
        made.file(f"demo-{n}.0-py3-none-any.whl", upload_time=stamp(days=-n), first_seen=NOW) for n in (1, 3)
    ]
    judged = judge(made.page(*young), Policy([gate()]), Context(now=NOW))
    assert judged.good_until == later(days=4)
    freed = judge(made.page(*young), Policy([gate()]), Context(now=later(days=4)))
    assert [decision.admitted for decision in freed.decisions] == [False, True]


def test_the_word_for_a_late_file_survives_the_overlay() -> None:
    from wheelkeep.core.pins import overlay

    first, _ = overlay(None, made.page(*made.versions("1.0")), NOW)
    second, _ = overlay(first, made.page(*made.versions("1.0", "2.0")), later(days=1))
    third, _ = overlay(second, made.page(*made.versions("1.0", "2.0")), later(days=2))
    assert [(file.late, file.first_seen) for file in third.files] == [(False, NOW), (True, later(days=1))]
    assert replace(third.files[0], late=True) != third.files[0]
