"""A clock that jumps ahead and back while the keep runs (libfaketime; timers are left alone, as in a real jump)."""

import os
from pathlib import Path

from keep import World, until, world
from scene import Scene, SkippedError

from fakes.ask import JSON
from fakes.dists import wheel

JUMPS = ("+0", "+30d", "-60d", "+3650d", "-1d")


def jumps(scene: Scene) -> None:
    says = scene.folder / "clock"
    says.write_text(JUMPS[0])
    env = {
        "LD_PRELOAD": str(_library()),
        "FAKETIME_TIMESTAMP_FILE": str(says),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with world(scene, files=3 * len(JUMPS), fresh="1s", env=env) as made:
        slowest = 0.0
        for turn, jump in enumerate(JUMPS):
            says.write_text(jump)
            for number in range(turn * 3, turn * 3 + 3):
                made.fetch(f"cold{number}")
                made.publish(number)
            # A page that was asked for in what is now the future is asked for again all the same.
            version = f"{turn + 1}.1"
            made.outside.add(*wheel("cold0", version))
            slowest = max(
                slowest, until(lambda: version in _versions(made), f"{version} is seen after {jump}", 15)
            )
            if turn % 2:
                made.keep.kill()
                made.keep.start()
        counted = made.counted
        scene.tell(
            "the clock", f"{', '.join(JUMPS)} from the true time, one after the other, with kills between"
        )
        scene.tell("requests", counted)
        scene.tell("longest until news of the origin were seen after a jump", f"{slowest:.1f} s")
        assert len(made.given) == len(made.published) == 3 * len(JUMPS), counted
        made.prove()


def _versions(made: World) -> str:
    return made.keep.get("/main/simple/cold0/", Accept=JSON).text


def _library() -> Path:
    given = os.environ.get("LIBFAKETIME")
    found = [Path(given)] if given else sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise SkippedError("libfaketime is not installed (Debian: faketime), nor named by LIBFAKETIME")
    return found[0]
