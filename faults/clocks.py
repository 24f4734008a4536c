"""A clock that jumps a year forward and back to before everything, while the keep serves and over restarts."""

import json
import os
from pathlib import Path

from keep import World, until, world
from scene import Scene

from fakes.ask import JSON
from fakes.dists import wheel

DAY = 86_400
YEAR = 365 * DAY
STEPS = (
    ("a year forward", YEAR),
    ("back to a day before all", -DAY),
    ("right again", 0),
    ("a day back", -DAY),
    ("a year forward from there", YEAR),
    ("back to the truth", 0),
)
EACH = 3
"""Cold files, and uploads, between two jumps or starts."""
HERE = Path(__file__).with_name("clock")


class Clock:
    """The wall clock of the keep and of its commands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.set(0)

    @property
    def env(self) -> dict[str, str]:
        return {"PYTHONPATH": str(HERE), "FAULTS_CLOCK": str(self._path)}

    def set(self, offset: int) -> None:
        """By how many seconds it is wrong, from now on."""
        draft = self._path.with_suffix(".new")
        draft.write_text(str(offset))
        os.replace(draft, self._path)


def jumps(scene: Scene) -> None:
    """Each jump while it serves, and then a restart: SIGTERM and SIGKILL in turn."""
    steps = STEPS[:3] if scene.smoke else STEPS
    clock = Clock(scene.folder / "offset")
    with world(scene, files=EACH * (2 * len(steps) + 1), env=clock.env) as made:
        token = made.command(
            "token", "create", "--name", "short", "--scope", "publish:acme", "--expires", "90d"
        ).out.strip()
        _work(made, 0)
        followed = []
        for turn, (words, offset) in enumerate(steps):
            # Its page is in memory, and fresh by the clock as it is now.
            newer, content = wheel("cold0", f"2.{turn}")
            assert newer not in _shown(made)
            made.outside.add(newer, content)
            clock.set(offset)
            followed.append(
                until(lambda newer=newer: newer in _shown(made), f"its page is asked for again: {words}")
            )  # type: ignore[misc]
            _work(made, 2 * turn + 1)
            _judges_by_it(made, token, turn, late=offset > 90 * DAY)
            if turn % 2:
                made.keep.kill()
                made.keep.start()
            else:
                made.keep.restart()
            _work(made, 2 * turn + 2)
            made.prove()
            assert _log(made)["good"]
        made.keep.restart()
        after = _log(made)
        scene.tell("jumps of the clock", ", ".join(words for words, _ in steps))
        scene.tell("requests", made.counted)
        scene.tell("until a page followed its origin after a jump", f"{max(followed):.1f} s at most")
        scene.tell(
            "the books afterwards",
            f"{after['ledger']} lines of the ledger, {after['fetches']} of the book of fetches, "
            f"{after['size']} entries signed: nothing found",
        )


def _shown(made: World) -> set[str]:
    reply = made.keep.get("/main/simple/cold0/", Accept=JSON)
    assert reply.status == 200, (reply.status, reply.body[:300])
    return {file["filename"] for file in reply.json["files"]}


def _work(made: World, part: int) -> None:
    """Cold fetches and uploads, all of which must be answered well: no clock is a reason not to."""
    for number in range(part * EACH, (part + 1) * EACH):
        for reply in (made.fetch(f"cold{number}"), made.publish(number)):
            assert reply is not None and reply.status == 200, reply and (reply.status, reply.body[:300])


def _judges_by_it(made: World, token: str, turn: int, *, late: bool) -> None:
    """A token of 90 days is good before their end, and not after it."""
    filename, content = wheel("acme-short", f"{turn}.0")
    reply = made.keep.publish("acme-short", f"{turn}.0", filename, content, token=token)
    assert reply.status == (401 if late else 200), (reply.status, reply.body[:300])


def _log(made: World) -> dict[str, object]:
    found = made.command("log", "verify", "--json")
    assert found.code == 0, found.out + found.err
    told: dict[str, object] = json.loads(found.out)
    return told
