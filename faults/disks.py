"""A disk that is full, and one that may not be written to: what is stored is served, what comes is passed on."""

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keep import World, at_once, noise, sha, until, world
from scene import MIB, Scene

from fakes.dists import wheel

SIZE = 24
"""MiB of the disk that gets full."""
LARGE = 20_000_000


@contextmanager
def _small_disk(scene: Scene) -> Iterator[bool]:
    """A disk of a few megabytes under the data folder; False where this machine allows no mounting."""
    data = scene.folder / "keep" / "wheelkeep-data"
    data.mkdir(parents=True)
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(data))
    if not mounted:
        # As a test makes it before the first start.
        data.rmdir()
    try:
        yield mounted
    finally:
        if mounted:
            _run("umount", "-l", str(data))


def full(scene: Scene) -> None:
    with _small_disk(scene) as mounted:
        scene.tell(
            "the disk",
            f"a tmpfs of {SIZE} MiB" if mounted else "files of at most 2 MB (mounting is not allowed)",
        )
        under = () if mounted else ("prlimit", "--fsize=2000000")
        with world(scene, files=10, size=500_000 if mounted else 2_500_000, under=under) as made:
            made.files["large"] = wheel("large", "1.0", files={"noise.bin": noise(scene.seed, LARGE)})
            made.outside.add(*made.files["large"])
            if mounted:
                for number in range(3):
                    _whole(made, f"cold{number}")
                made.publish(0)
            ballast = _fill(made.keep.data) if mounted else None
            stored = set(made.keep.blobs())
            _serves(scene, made, mounted=mounted)
            assert set(made.keep.blobs()) == stored
            made.forgive()
            if ballast is not None:
                _restarts(scene, made)
                ballast.unlink()
                until(lambda: _kept(made, "cold9"), "files are kept again")
                made.answers.clear()
                made.publish(1)
                assert made.answers == {"uploads acknowledged": 1}, made.answers
                scene.tell("with room again", "cold files are kept and uploads taken, without a restart")
            made.prove()


def _serves(scene: Scene, made: World, *, mounted: bool) -> None:
    """Everybody is served while nothing can be kept."""
    made.answers.clear()
    cold = [f"cold{number}" for number in range(3, 7)]
    at_once(8, [lambda name=name: _whole(made, name) for name in cold * 3])  # type: ignore[misc]
    at_once(4, [lambda: _whole(made, "large")] * 4)
    if mounted:
        for number in range(3):
            _whole(made, f"cold{number}")
    filename, content = made.files["cold3"]
    part = made.keep.get(f"/main/files/cold3/{sha(content)}/{filename}", Range="bytes=0-99")
    assert (part.status, part.body) == (200, content) and part.whole, part.status
    for number in range(50, 53):
        made.publish(number, size=2_500_000)
    assert not made.answers.get("uploads acknowledged"), made.answers
    scene.tell("while it is full", made.counted)


def _restarts(scene: Scene, made: World) -> None:
    """A keep on a full disk ends and starts, in good order and after a kill, and serves."""
    for end in (made.keep.stop, made.keep.kill):
        end()
        made.keep.start()
        _whole(made, "cold0")
        _whole(made, "cold7")
    scene.tell("restarted while it is full", "by SIGTERM and after SIGKILL: stored and cold files are served")
    made.forgive()


def _whole(made: World, name: str) -> None:
    reply = made.fetch(name)
    assert reply is not None and reply.status == 200 and reply.whole, (
        name,
        reply and reply.status,
        reply and reply.body[:300],
    )


def _kept(made: World, name: str) -> bool:
    _whole(made, name)
    return sha(made.files[name][1]) in made.keep.blobs()


def _fill(data: Path) -> Path:
    """Takes all the room there is, to the last block."""
    ballast = data / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (MIB, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return ballast


def read_only(scene: Scene) -> None:
    with world(scene, files=8) as made:
        for number in range(3):
            _whole(made, f"cold{number}")
        data = made.keep.data
        bound = _run("mount", "--bind", str(data), str(data)) and _run(
            "mount", "-o", "remount,ro,bind", str(data)
        )
        scene.tell(
            "the folder",
            "mounted read-only" if bound else "without a place to write files to (mounting is not allowed)",
        )
        # What is open stays writable, as with every remount: the server must be started on it.
        try:
            if not bound:
                (data / "tmp").rename(data / "away")
                (data / "tmp").write_text("")
            for number in range(6):
                _whole(made, f"cold{number}")
            made.publish(0)
            scene.tell("meanwhile", made.counted)
            if bound:
                made.keep.stop()
                _refuses(scene, made)
        finally:
            if bound:
                _run("umount", "-l", str(data))
            else:
                (data / "tmp").unlink()
                (data / "away").rename(data / "tmp")
        made.forgive()
        if bound:
            made.keep.start()
        _whole(made, "cold6")
        made.publish(1)
        made.prove()


def _refuses(scene: Scene, made: World) -> None:
    said = made.command("check"), made.command("serve")
    assert said[1].code == 2 and "cannot be used" in said[1].err, (said[1].code, said[1].err)
    scene.tell("a start on it", f"is refused with words: {said[1].err.strip().splitlines()[-1][:120]}")


def _run(*words: str) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(words, capture_output=True).returncode == 0
    return False
