"""Slow reading: as slow as it was told to be, and ended when it is to end."""

import threading
import time

import pytest

from wheelkeep.store.gently import Pace, Stopped, step_back


def test_no_faster_than_the_rate() -> None:
    pace = Pace(1_000)
    began = time.monotonic()
    for _ in range(5):
        pace(10)
    assert time.monotonic() - began >= 0.045


def test_without_a_rate_it_waits_for_nothing_and_can_be_stopped() -> None:
    pace = Pace(None)
    pace(10**12)
    pace.stop()
    with pytest.raises(Stopped):
        pace(1)


def test_who_waits_is_stopped_too() -> None:
    pace = Pace(1)
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(Stopped):
            pace(1_000_000)
        ended.set()

    thread = threading.Thread(target=read)
    thread.start()
    pace.stop()
    thread.join(10)
    assert ended.is_set()


def test_stepping_back_harms_nobody() -> None:
    thread = threading.Thread(target=step_back)
    thread.start()
    thread.join()
