"""Who would break by a denial, without asking anybody."""

import hashlib
from pathlib import Path

from fakes.asgi import Inside
from fakes.dists import wheel
from fakes.made import sha
from fakes.outside import Outside
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.rules import RuleSet, read_rule
from wheelkeep.index.breaking import Broken, breaking

ME = ("from 127.0.0.1",)
"""Who fetches in these tests, without a token."""
CONFIG = """
[sources.house]
kind = "directory"
path = "house"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"
"""


def locked(name: str, version: str | None, *hashes: str, origin: str = "index") -> Locked:
    files = tuple(LockedFile(sha256=sha256) for sha256 in hashes)
    return Locked(project=ProjectName(name), version=version, files=files, origin=origin)  # type: ignore[arg-type]


async def test_kept_files_and_locks(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    name, content = wheel("ours", "1.0")
    (tmp_path / "house" / name).write_bytes(content)
    (tmp_path / "policy.toml").write_text('[deny]\npackages = ["demo==0.9"]\n')
    with Outside() as outside:
        for version in ("0.9", "1.0", "2.0", "10.0"):
            outside.add(*wheel("demo", version))
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            keep, index = inside.keep, inside.keep.indexes[IndexName("main")]
            for version in ("0.9", "1.0", "10.0"):
                page = await inside.get("/main/simple/demo/")
                assert page.status == 200
                await inside.get(f"/main/files/demo/-/demo-{version}-py3-none-any.whl")
            asked = len(outside.log)
            two = hashlib.sha256(wheel("demo", "2.0")[1]).hexdigest()
            lock = Lock(
                path="shop.lock",
                format="uv.lock",
                entries=(
                    locked("demo", None, two),
                    locked("demo", "3.0"),
                    locked("demo", "4.0", origin="git"),
                    locked("other", "1.0", sha("x")),
                ),
                read=("shop.lock",),
            )

            async def broken(*texts: str) -> list[Broken]:
                rules = RuleSet(read_rule(one, globs=True) for one in texts)
                return list(await breaking(keep, index, rules, [("shop.lock", lock)]))

            ten = Broken(name="demo", version="10.0", kept=("demo-10.0-py3-none-any.whl",), whom=ME)
            assert await broken("demo>1") == [
                Broken(name="demo", version="2.0", locks=("shop.lock",)),
                Broken(name="demo", version="3.0", locks=("shop.lock",)),
                ten,
            ]
            # What is blocked already breaks nothing more.
            assert await broken("demo<1", "nothing") == []
            assert [one.version for one in await broken("d*", "o*")] == [
                "1.0",
                "2.0",
                "3.0",
                "10.0",
                "1.0",
                "1.0",
            ]
            assert len(outside.log) == asked
