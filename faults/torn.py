"""The log of a database cut short, changed or gone after SIGKILL: acknowledged things may be lost, and that is told."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from keep import World, sha, until, world
from scene import Scene

from fakes.ask import JSON

COUNT = 8
DATABASES = ("wheelkeep.sqlite", "fetches.sqlite")


def logs(scene: Scene) -> None:
    """Each damage to each database's log, in a keep of its own."""

    def cut(path: Path) -> None:
        with path.open("r+b") as file:
            file.truncate(scene.chance.randrange(path.stat().st_size))

    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[scene.chance.randrange(len(content))] ^= 1 << scene.chance.randrange(8)
        path.write_bytes(content)

    ways: dict[str, Callable[[Path], None]] = {
        "cut short": cut,
        "one bit flipped": change,
        "removed": Path.unlink,
    }
    for database in DATABASES:
        for words, damage in ways.items():
            _one(scene, database, words, damage)


def _one(scene: Scene, database: str, words: str, damage: Callable[[Path], None]) -> None:
    with world(scene, files=COUNT, at=f"{database}-{words.replace(' ', '-')}") as made:
        for number in range(COUNT):
            made.fetch(f"cold{number}")
            made.publish(number)
        assert len(made.given) == len(made.published) == COUNT
        until(lambda: _covered(made), "the log covers all of it")
        made.keep.kill()
        damage(made.keep.data / f"{database}-wal")
        stored = set(made.keep.blobs())
        made.keep.start()
        assert stored <= set(made.keep.blobs()), "a stored file was lost"
        shown = _shown(made)
        lost = made.published.keys() - shown.keys()
        assert shown.items() <= made.published.items()
        told = made.command("log", "verify", "--json")
        findings = json.loads(told.out)["findings"]
        if lost:
            assert told.code == 1 and findings, "a loss was not told"
            until(lambda: "log_broken" in made.keep.log, "the log says that it is broken")
        after = ""
        if any(one["book"] == "log" for one in findings):
            after = _begun_anew(made)
        _again(made)
        scene.tell(
            f"{database}-wal, {words}",
            f"{len(lost)} of {COUNT} uploads lost, {'told by log verify (exit 1)' if findings else 'nothing to tell'}"
            f"{after}; all {COUNT} taken again",
        )


def _covered(made: World) -> bool:
    time.sleep(0.5)
    found = json.loads(made.command("log", "verify", "--json").out)
    return bool(found["good"] and found["size"] and found["size"] >= 2 * COUNT)


def _shown(made: World) -> dict[str, str]:
    """The uploads that are listed, each given whole."""
    reply = made.keep.get("/main/simple/acme-up/", Accept=JSON)
    assert reply.status in (200, 404), reply.status
    shown = (
        {file["filename"]: file["hashes"]["sha256"] for file in reply.json["files"]}
        if reply.status == 200
        else {}
    )
    for filename, sha256 in shown.items():
        got = made.keep.get(f"/main/files/acme-up/{sha256}/{filename}")
        assert got.status == 200 and sha(got.body) == sha256, filename
    return shown


def _begun_anew(made: World) -> str:
    """The operator's way out, as the guide has it: the old log is put away, and a new one begins."""
    made.keep.stop()
    log, away = made.keep.data / "log", made.keep.folder / "log-until-the-loss"
    away.mkdir()
    for path in (log / "key", log / "key.pub", log / "checkpoint", *log.glob("level-*")):
        path.rename(away / path.name)
    made.keep.start()
    until(
        lambda: json.loads(made.command("log", "verify", "--json").out)["size"] is not None,
        "a new log is signed",
    )
    told = made.command("log", "verify", "--json")
    left = [one for one in json.loads(told.out)["findings"] if one["book"] == "log"]
    assert not left, left
    assert "log_broken" not in made.keep.log
    return ", the log begun anew"


def _again(made: World) -> None:
    """Everything is taken and given again, and stands."""
    made.forgive()
    for number in range(COUNT):
        for reply in (made.publish(number), made.fetch(f"cold{number}")):
            assert reply is not None and reply.status == 200, reply and (reply.status, reply.body[:300])
    made.prove()
    assert json.loads(made.command("log", "verify", "--json").out)["good"]
