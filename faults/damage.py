"""Bits that flip in stored files, and noise behind the log of a database."""

import sqlite3
import time
from contextlib import closing

from keep import World, flip, sha, world
from scene import Scene

from fakes.ask import JSON


def bits(scene: Scene) -> None:
    """In stored files: while the keep runs, while it does not, with the origin there and away; and in an upload."""
    count = 4 if scene.smoke else 12
    with world(scene, files=count) as made:
        for name in made.files:
            made.fetch(name)
        made.publish(0)
        for turn, (name, (_, content)) in enumerate(made.files.items()):
            path = made.keep.blobs()[sha(content)]
            size = path.stat().st_size
            if turn % 2:
                made.keep.kill()
            flip(path, scene.chance.choice([0, size - 1, scene.chance.randrange(size)]))
            if turn % 2:
                made.keep.start()
            # Wrong bytes, given as a whole file, end the suite here.
            reply = made.fetch(name)
            assert reply is not None and (reply.status, reply.body) == (200, content), (
                name,
                reply and reply.status,
            )
        scene.tell(
            "flipped bits in stored files",
            f"{count}, all found at the next request and healed from the origin",
        )
        made.prove()
        _without_the_origin(scene, made)


def _without_the_origin(scene: Scene, made: World) -> None:
    name, (_, content) = next(iter(made.files.items()))
    published, sha256 = next(iter(made.published.items()))
    made.outside.stop()
    flip(made.keep.blobs()[sha(content)])
    flip(made.keep.blobs()[sha256])
    found = made.command("verify", "--json")
    assert found.code == 1, found.out
    reply = made.fetch(name)
    assert reply is not None and reply.status == 503, reply and reply.status
    lost = made.keep.get(f"/main/files/acme-up/{sha256}/{published}")
    assert lost.status != 200 or sha(lost.body) == sha256, "a damaged upload was served"
    made.outside.start()
    reply = made.fetch(name)
    assert reply is not None and reply.body == content
    again = made.publish(0)
    assert again is not None and again.status == 200
    lost = made.keep.get(f"/main/files/acme-up/{sha256}/{published}")
    assert (lost.status, sha(lost.body)) == (200, sha256)
    scene.tell(
        "damage that cannot be healed",
        "told by verify (exit 1) and 503, healed when the origin or upload is back",
    )
    made.prove()


def database(scene: Scene) -> None:
    """SIGKILL leaves a log beside each database; noise behind what was written to it is nothing (a torn last write)."""
    with world(scene, files=8) as made:
        for number, name in enumerate(made.files):
            made.fetch(name)
            made.publish(number)
        made.keep.kill()
        for path in (made.keep.data / "wheelkeep.sqlite-wal", made.keep.data / "fetches.sqlite-wal"):
            if path.exists() and path.stat().st_size:
                with path.open("ab") as log:
                    log.write(scene.chance.randbytes(10_000))
        made.keep.start()
        uploads, pages = _what_is_left(made)
        assert (uploads, pages) == (8, 8), (uploads, pages)
        made.prove()
        scene.tell(
            "noise behind the logs", f"{uploads} of 8 uploads listed and whole, {pages} of 8 pages known"
        )
        with closing(sqlite3.connect(made.keep.data / "wheelkeep.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _what_is_left(made: World) -> tuple[int, int]:
    """How many uploads are listed, each whole, and how many pages are known without the origin."""
    made.outside.stop()
    reply = made.keep.get("/main/simple/acme-up/", Accept=JSON)
    listed = reply.json["files"] if reply.status == 200 else []
    for file in listed:
        got = made.keep.get(f"/main/files/acme-up/{file['hashes']['sha256']}/{file['filename']}")
        assert got.status == 200 and sha(got.body) == file["hashes"]["sha256"], file
    pages = sum(made.keep.get(f"/main/simple/{name}/", Accept=JSON).status == 200 for name in made.files)
    made.outside.start()
    time.sleep(1)
    return len(listed), pages
