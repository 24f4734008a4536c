"""Refused downloads: nobody is forgotten, and nobody can fill the disk with one line."""

import pytest

from fakes.made import NOW
from wheelkeep.index import refusals
from wheelkeep.index.refusals import WINDOW, Refusals
from wheelkeep.store.ledger import Entry


class Counted:
    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[Entry] = []
        self.refusals = Refusals(self.lines.append, clock=lambda: self.now)

    def refuse(
        self, who: str = "ci", filename: str = "demo-1.0.tar.gz", times: int = 1, code: str = "deny"
    ) -> None:
        for _ in range(times):
            self.refusals.note(
                Entry(
                    kind="blocked",
                    at=NOW,
                    filename=filename,
                    detail={"by": who, "code": code, "sha256": None},
                )
            )

    @property
    def told(self) -> list[tuple[str, str, int]]:
        return [(one.filename or "", one.detail["by"], one.detail.get("count", 1)) for one in self.lines]


async def test_repeats_are_one_line_with_their_number() -> None:
    counted = Counted()
    counted.refuse(times=1000)
    counted.refuse("dev", times=2)
    counted.refuse(filename="other-1.0.tar.gz")
    counted.refuse(code="allow")
    first = [("demo-1.0.tar.gz", "ci", 1), ("demo-1.0.tar.gz", "dev", 1), ("other-1.0.tar.gz", "ci", 1)]
    assert counted.told == [*first, ("demo-1.0.tar.gz", "ci", 1)]
    counted.now = WINDOW
    counted.refuse()
    assert counted.told[4:] == [("demo-1.0.tar.gz", "ci", 999), ("demo-1.0.tar.gz", "dev", 1), first[0]]
    counted.refuse(times=3)
    counted.refusals.close()
    assert counted.told[7:] == [("demo-1.0.tar.gz", "ci", 3)]
    assert sum(count for _, _, count in counted.told) == 1000 + 2 + 1 + 1 + 1 + 3


async def test_ever_new_callers_are_all_written_and_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST", 3)
    counted = Counted()
    for number in range(5):
        counted.refuse(f"caller {number}", times=2)
    assert len(counted.refusals._runs) == 3
    counted.refusals.close()
    assert sum(count for _, _, count in counted.told) == 10


async def test_a_count_is_written_though_nobody_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted()
    counted.refuse(times=2)
    counted.now = WINDOW
    counted.refusals._due()
    assert [count for _, _, count in counted.told] == [1, 1]
    counted.refusals.close()
