"""What is needed, once wheels stand in the place of sdists."""

import errno
from typing import Any, cast

from fakes.builds import built, material
from fakes.made import file
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.core.write_lock import Choice, write_requirements
from wheelkeep.index.build_attempt import Failed
from wheelkeep.index.build_run import Finished, run, with_wheels
from wheelkeep.index.builder import Made
from wheelkeep.index.needed import Lacking, Needed


def choice(project: str, version: str, *names: str) -> Choice:
    return Choice(project=ProjectName(project), version=version, files=tuple(file(name) for name in names))


def test_a_wheel_takes_the_place_of_its_sdists() -> None:
    sdist, bad = file("demo-1.0.tar.gz"), file("bad-1.0.tar.gz")
    needed = Needed(
        choices=(
            choice("demo", "1.0", "demo-1.0.tar.gz", "demo-1.0.zip", "demo-1.0-cp39-cp39-win32.whl"),
            choice("bad", "1.0", "bad-1.0.tar.gz"),
            choice("ready", "1.0", "ready-1.0-py3-none-any.whl"),
        ),
        lacking=(Lacking(what="gone", why="it is gone"),),
    )
    made = built(sdist=material("demo-1.0.tar.gz"), requires_python=">=3.9")
    failed = Failed(sdist=bad.filename, why="exit 1")
    found = with_wheels(needed, [Finished(sdist=sdist, built=made), Finished(sdist=bad, failed=failed)])
    names = [[one.filename for one in choice.files] for choice in found.choices]
    assert names == [["demo-1.0-cp39-cp39-win32.whl", made.filename], [], ["ready-1.0-py3-none-any.whl"]]
    wheel = found.choices[0].files[1]
    assert (wheel.sha256, wheel.size, wheel.requires_python) == (made.sha256, made.size, ">=3.9")
    assert [one.what for one in found.lacking] == ["gone", "bad-1.0.tar.gz"]
    text = write_requirements(found.choices[:1])
    assert text.endswith(f"    # built here from demo-1.0.tar.gz sha256:{made.sdist.sha256}\n")
    assert f"--hash=sha256:{made.sha256}" in text


async def test_a_disk_that_is_full_ends_one_build_and_not_the_others() -> None:
    class Full:
        async def build(self, sdist: File) -> Made:
            if sdist.filename.startswith("bad"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return Made(built=built(), before=False)

    sdists = [file("bad-1.0.tar.gz"), file("demo-1.0.tar.gz")]
    states = run(cast(Any, None), cast(Any, Full()), sdists, None, at_once=1, begun=lambda _: None)
    done = {one.sdist.filename: one async for one in states}
    failed = done["bad-1.0.tar.gz"].failed
    assert failed is not None and "No space left" in failed.why
    assert done["demo-1.0.tar.gz"].built is not None
