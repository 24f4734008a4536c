"""SIGKILL at random moments of cold fetches and uploads: of everything at once, of the main process, of one worker."""

import os
import signal
import threading
import time
from collections.abc import Callable

from keep import World, at_once, until, world
from scene import Scene

HANDS = 8


def _once(scene: Scene, jobs: list[Callable[[], object]], kill: Callable[[], None]) -> None:
    """Does the jobs, and kills a random moment after a random one of them is done."""
    done = threading.Semaphore(0)

    def counted(job: Callable[[], object]) -> None:
        try:
            job()
        finally:
            done.release()

    def killing() -> None:
        for _ in range(enough):
            done.acquire()
        time.sleep(wait)
        kill()

    enough, wait = scene.chance.randrange(len(jobs) - HANDS + 1), scene.chance.uniform(0.0, 0.08)
    killer = threading.Thread(target=killing)
    killer.start()
    try:
        at_once(HANDS, [lambda job=job: counted(job) for job in jobs])  # type: ignore[misc]
    finally:
        killer.join()


def _jobs(made: World, scene: Scene, numbers: list[int]) -> list[Callable[[], object]]:
    """A download of a file that is not here yet, and an upload, for each number."""
    jobs: list[Callable[[], object]] = []
    for number in numbers:
        jobs.append(lambda number=number: made.fetch(f"cold{number}"))  # type: ignore[misc]
        jobs.append(lambda number=number: made.publish(number))  # type: ignore[misc]
    scene.chance.shuffle(jobs)
    return jobs


def _rounds(scene: Scene) -> tuple[int, int]:
    """How many kills, and how many pairs of a fetch and an upload between two."""
    return (2, 10) if scene.smoke else (15, 10)


def power(scene: Scene, workers: int) -> None:
    """All processes at once, as when power is lost."""
    kills, pairs = _rounds(scene)
    with world(scene, files=kills * pairs, options=("--workers", str(workers))) as made:
        for turn in range(kills):
            numbers = list(range(turn * pairs, (turn + 1) * pairs))
            _once(scene, _jobs(made, scene, numbers), made.keep.kill)
            made.keep.start()
            left = made.keep.half_done()
            assert not left, f"left over: {left}"
        _again(made, kills * pairs)
        _report(scene, made, kills)


def beheaded(scene: Scene, workers: int) -> None:
    """The main process alone: its workers must notice and end, and the next start finds the address free."""
    kills, pairs = (1, 10) if scene.smoke else (5, 10)
    with world(scene, files=kills * pairs, options=("--workers", str(workers))) as made:
        for turn in range(kills):
            numbers = list(range(turn * pairs, (turn + 1) * pairs))
            alive = made.keep.processes
            _once(scene, _jobs(made, scene, numbers), made.keep.behead)
            until(lambda alive=alive: not any(map(_lives, alive)), "its workers end")  # type: ignore[misc]
            made.keep.start()
        _again(made, kills * pairs)
        _report(scene, made, kills)


_LOOP = 6.0
"""Seconds after which a worker that dies is no crash loop to granian, which ends the server on one."""


def worker(scene: Scene) -> None:
    """One of two workers: the other goes on, and another takes its place."""
    kills, pairs = (1, 10) if scene.smoke else (6, 10)
    with world(scene, files=kills * pairs, options=("--workers", "2")) as made:
        took: list[float] = []
        for turn in range(kills):
            numbers = list(range(turn * pairs, (turn + 1) * pairs))
            before = made.keep.processes
            victim = scene.chance.choice(before[1:])
            _once(scene, _jobs(made, scene, numbers), lambda victim=victim: os.kill(victim, signal.SIGKILL))  # type: ignore[misc]
            took.append(
                until(lambda before=before: len(set(made.keep.processes) - {*before}) == 1, "another comes")
            )  # type: ignore[misc]
            time.sleep(_LOOP)
        _again(made, kills * pairs)
        _report(scene, made, kills)
        scene.tell("until another worker was there", f"{max(took):.1f} s after the last answer, at most")


def _again(made: World, count: int) -> None:
    """Everything that broke off can be had, and published, now."""
    before = dict(made.answers)
    at_once(HANDS, _jobs(made, made.scene, list(range(count))))
    made.answers = before
    assert len(made.given) == count and len(made.published) == count, (len(made.given), len(made.published))
    made.prove()


def _report(scene: Scene, made: World, kills: int) -> None:
    scene.tell("kills survived", kills)
    scene.tell("requests", made.counted)
    scene.tell(
        "lost", "nothing: each acknowledged upload and each file given whole is there, the same, on record"
    )


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
