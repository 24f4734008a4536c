"""Numbers of several workers, added up; what a worker counted stays counted when it is gone."""

import os
import subprocess
import sys
from pathlib import Path

from wheelkeep.store.tally import Tally, resident

_WORKER = """
import sys, pathlib
from wheelkeep.store.tally import Tally
tally = Tally(pathlib.Path(sys.argv[1]), 3)
tally.add(0)
tally.share()
tally.add(1, 5)
print(tally.summed()[0], flush=True)
"""


def test_numbers_are_kept_when_they_are_shared(tmp_path: Path) -> None:
    tally = Tally(tmp_path, 3)
    tally.add(1)
    assert tally.summed() == ([0, 1, 0], [os.getpid()])
    tally.share()
    tally.add(1, 2)
    assert tally.summed() == ([0, 3, 0], [os.getpid()])


def test_workers_of_one_server_are_added_up_dead_ones_too(tmp_path: Path) -> None:
    # Two siblings, as workers are: each is a child of this process.
    for expected in ("[1, 5, 0]", "[2, 10, 0]"):
        ran = subprocess.run(
            [sys.executable, "-c", _WORKER, tmp_path], capture_output=True, text=True, check=True
        )
        assert ran.stdout.strip() == expected
    # Of another server's, which ended, nothing is left at the next start.
    (tmp_path / "tally" / "999999999-1").write_bytes(b"\0" * 24)
    (tmp_path / "tally" / "odd").write_bytes(b"")
    (tmp_path / "tally" / f"{os.getppid()}-x").write_bytes(b"")
    (tmp_path / "tally" / f"{os.getppid()}-1").write_bytes(b"short")
    tally = Tally(tmp_path, 3)
    tally.share()
    assert not (tmp_path / "tally" / "999999999-1").exists()
    assert tally.summed()[0] == [0, 0, 0]


def test_where_nothing_can_be_written_each_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "tally").write_text("")
    tally = Tally(tmp_path, 2)
    tally.share()
    tally.add(0)
    assert tally.summed() == ([1, 0], [os.getpid()])


def test_the_memory_of_a_process() -> None:
    assert resident(os.getpid()) > 1_000_000
    assert resident(999_999_999) == 0
