"""The turn: one holder at a time, given back however it ends."""

from pathlib import Path

from wheelkeep.store.turn import Turn


def test_one_at_a_time(tmp_path: Path) -> None:
    one, other = Turn(tmp_path / "lock"), Turn(tmp_path / "lock")
    assert one.take()
    assert one.take()
    assert not other.take()
    one.give_back()
    one.give_back()
    assert other.take()
    assert not one.take()
    other.give_back()
