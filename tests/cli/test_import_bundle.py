"""``export bundle`` and ``import`` of one: what comes over, what is refused, and that nothing comes by halves."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.bundles import KEY, OTHER, bundle_of, document, file_of, head, lines_of, whole
from fakes.command import Ran, quickly
from fakes.dists import sdist, wheel
from fakes.outside import Outside
from wheelkeep import compose, configuration
from wheelkeep.core.model import Page
from wheelkeep.index.unbundle import Taking

HOSTED = """
[sources.acme]
kind = "hosted"

[indexes.main]
sources = ["acme"]
"""
BOTH = """
[sources.acme]
kind = "hosted"
names = ["acme-*"]

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["acme", "outer"]
policy = "policy.toml"
"""
NAME, WHEEL = wheel("demo", "1.0")


class Folder:
    """A keep's configuration, and commands on it."""

    def __init__(self, path: Path, config: str = HOSTED) -> None:
        path.mkdir(parents=True)
        self.path = path
        (path / "wheelkeep.toml").write_text(config)
        (path / "policy.toml").write_text("")

    def run(self, *words: str | Path, code: int = 0) -> Ran:
        ran = quickly(*words, cwd=self.path)
        assert ran.code == code, ran
        return ran

    def put(self, name: str, content: bytes) -> Path:
        (self.path / name).write_bytes(content)
        return self.path / name

    def audit(self, kind: str) -> list[Any]:
        ran = quickly("audit", "--kind", kind, "--json", cwd=self.path)
        return [json.loads(line) for line in ran.out.splitlines()] if ran.code == 0 else []

    def listed(self, project: str = "demo") -> dict[str, str | None]:
        """What its index has, each file with its hash."""
        page = self.page(project)
        return {file.filename: file.sha256 for file in page.files} if page is not None else {}

    def page(self, project: str = "demo") -> Page | None:
        async def look() -> Page | None:
            keep = compose.build(configuration.load(self.path / "wheelkeep.toml"))
            try:
                return await keep.indexes["main"].known(project)  # type: ignore[index, arg-type]
            finally:
                await keep.close()

        return asyncio.run(look())


@pytest.fixture
def far(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "far")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        yield server


def test_uploads_come_over_with_their_past(tmp_path: Path, far: Folder) -> None:
    near = Folder(tmp_path / "near")
    near.run(
        "import", near.put(NAME, WHEEL), near.put(*sdist("demo", "1.0")), near.put(*wheel("demo", "2.0"))
    )
    near.run("yank", "demo==1.0", "--reason", "it burns")
    near.run("delete", "demo==2.0", "--reason", "a secret", "--yes")
    near.run("project-status", "demo", "deprecated", "--reason", "see other")
    dry = near.run("export", "bundle", "x.bundle", "--dry-run", "--json").json
    assert not (near.path / "x.bundle").exists()
    sent = near.run("export", "bundle", "x.bundle", "--json").json
    assert (sent["files"], sent["listed"], sent["bytes"]) == (dry["files"], dry["listed"], dry["bytes"])
    assert [line["detail"]["bundle"] for line in near.audit("bundle exported")] == [sent["bundle"]]
    came = far.run("import", near.path / "x.bundle", "--json")
    assert "hold its key against" in came.err and sent["key"] in came.err
    assert (came.json["trust"], came.json["new"], came.json["refused"]) == ("first", 2, [])
    assert far.listed() == near.listed()
    # The name of what was removed there is used here too.
    refused = far.run("import", near.put(*wheel("demo", "2.0")), code=1)
    assert "its name is never used again" in refused.out
    assert {line["detail"]["said"] for line in far.audit("carried line")} == {
        "published",
        "yanked",
        "deleted",
        "status",
    }
    lines = len(far.audit("carried line"))
    assert far.audit("bundle imported")[0]["detail"]["key"] == sent["key"]
    again = far.run("import", near.path / "x.bundle", "--json").json
    assert (again["trust"], again["came"], again["new"], again["changed"]) == ("known", 0, 0, 0)
    assert len(far.audit("carried line")) == lines
    # What people here say of a project is not taken back by a bundle that says nothing of it.
    near.run("project-status", "demo", "active")
    near.run("export", "bundle", "active.bundle")
    far.run("project-status", "demo", "archived")
    far.run("import", near.path / "active.bundle")
    assert "archived" in far.run("import", near.put(*wheel("demo", "9.0")), code=1).out
    far.run("project-status", "demo", "active")
    # Back to where it came from: there all is as it was.
    far.run("export", "bundle", "back.bundle")
    back = near.run(
        "import", far.path / "back.bundle", "--key", far.path / "wheelkeep-data/log/key.pub", "--json"
    )
    assert (back.json["came"], back.json["new"], back.json["changed"]) == (0, 0, 0)


def test_an_older_bundle_takes_nothing_back(tmp_path: Path, far: Folder) -> None:
    near = Folder(tmp_path / "near")
    near.run("import", near.put(NAME, WHEEL))
    near.run("yank", "demo==1.0", "--reason", "it burns")
    near.run("project-status", "demo", "archived")
    near.run("export", "bundle", "old.bundle")
    near.run("unyank", "demo==1.0")
    near.run("project-status", "demo", "deprecated")
    near.run("export", "bundle", "new.bundle")
    for name in ("new.bundle", "old.bundle", "new.bundle"):
        far.run("import", near.path / name)
        page = far.page()
        assert page is not None and page.status is not None
        assert [file.yanked for file in page.files] == [None]
        assert page.status.status == "deprecated"


def test_what_is_admitted_since_goes_too(tmp_path: Path, far: Folder) -> None:
    near = Folder(tmp_path / "near", HOSTED + 'policy = "policy.toml"\n')
    near.run("import", near.put(NAME, WHEEL), near.put(*wheel("demo", "2.0")))
    near.put("policy.toml", b'[deny]\npackages = ["demo==1.0"]\n')
    near.run("snapshot", "create", "first")
    near.run("export", "bundle", "first.bundle")
    near.put("policy.toml", b"")
    more = near.run("export", "bundle", "more.bundle", "--since", "first", "--json").json
    assert (more["files"], more["listed"]) == (1, 2)
    for name in ("first.bundle", "more.bundle"):
        far.run("import", near.path / name)
    assert far.listed() == near.listed()


def test_who_made_it_decides(far: Folder) -> None:
    first, other = far.put("1", bundle_of({NAME: WHEEL})), far.put("2", bundle_of({NAME: WHEEL}, OTHER))
    refused = far.run("import", first, "--key", str(OTHER.public), code=1)
    assert "not by the key that you gave; nothing was imported" in refused.err
    far.run("import", first, "--key", str(KEY.public))
    refused = far.run("import", other, code=1)
    assert f"say --key {OTHER.public}" in refused.err
    (far.path / "key.pub").write_text(f"{OTHER.public}\n")
    assert far.run("import", other, "--key", "key.pub", "--json").json["trust"] == "given"
    assert far.run("import", other, "--json").json["trust"] == "known"
    assert "must be a key in the form" in far.run("import", first, "--key", "a+b", code=2).err


def test_nothing_comes_of_what_was_changed_or_cut(far: Folder) -> None:
    good = bundle_of({NAME: WHEEL})
    at = good.index(WHEEL[:40])
    for bad in (
        good[:-1],
        good[:at],
        good + b"\0",
        good[:at] + b"X" + good[at + 1 :],
        good[:1000],
        good[:99],
    ):
        refused = far.run("import", far.put("bad", bad), code=1)
        assert "nothing was imported" in refused.err, refused
        assert far.listed() == {}
    assert far.audit("bundle trusted") == []
    assert far.run("import", far.put("good", good), "--json").json["new"] == 1


def test_it_goes_on_from_wherever_it_was_broken_off(tmp_path: Path) -> None:
    files = dict([wheel("demo", "1.0"), wheel("demo", "2.0"), sdist("demo", "3.0")])
    more = dict([wheel("extra", "1.0")])
    told = [document(*(file_of(*one) for one in some.items())) for some in (files, more)]
    contents = [*files.values(), *more.values()]
    bundle = tmp_path / "x.bundle"
    bundle.write_bytes(whole(lines_of(told, contents), contents))
    for steps in range(6):
        far = Folder(tmp_path / f"far-{steps}")
        asyncio.run(begun(far, bundle, steps))
        done = far.run("import", bundle, "--json").json
        assert (done["files"], done["refused"]) == (4, [])
        assert far.listed() == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        assert far.listed("extra").keys() == more.keys()
        assert far.run("log", "verify").code == 0


async def begun(far: Folder, bundle: Path, steps: int) -> None:
    """An import that ends after so many steps."""
    keep = compose.build(configuration.load(far.path / "wheelkeep.toml"))
    with bundle.open("rb") as file:
        run = Taking(keep, mapping={}, key=None).run(file)
        for _ in range(steps):
            await anext(run)
        await run.aclose()
    await keep.close()


def test_uploads_pass_the_checks_of_uploads(far: Folder) -> None:
    far.run("import", far.put(*wheel("demo", "2.0", files={"other.py": b""})))
    wicked = {NAME: b"no wheel", "demo-2.0-py3-none-any.whl": wheel("demo", "2.0")[1]}
    wicked["demo-3.0-py3-none-any.whl"] = WHEEL
    good = dict([wheel("demo", "4.0")])
    done = far.run("import", far.put("x", bundle_of(wicked | good)), "--json", code=1).json
    assert done["new"] == 1
    said = {one["what"]: " ".join(one["why"]) for one in done["refused"]}
    assert said.keys() == wicked.keys()
    assert "never gets other bytes" in said["demo-2.0-py3-none-any.whl"]
    assert far.listed().keys() == {"demo-2.0-py3-none-any.whl", *good}


def test_a_source_is_found_or_named(tmp_path: Path) -> None:
    far = Folder(tmp_path / "far", BOTH.format(url="http://127.0.0.1:9/simple/"))
    one = file_of(NAME, WHEEL, source="vendor")
    bundle = far.put("x", whole(lines_of([document(one, source="vendor", kind="remote")], [WHEEL]), [WHEEL]))
    assert (
        "say --map vendor=NAME, NAME being a source of the kind remote"
        in far.run("import", bundle, code=2).err
    )
    assert "and acme here is hosted" in far.run("import", bundle, "--map", "vendor=acme", code=2).err
    assert 'did you mean "outer"' in far.run("import", bundle, "--map", "vendor=outr", code=2).err
    assert "write OLD=NEW" in far.run("import", bundle, "--map", "vendor", code=2).err
    assert "say --map OLD=NEW" in far.run("import", bundle, "--into", "acme", code=2).err
    assert "import it by itself" in far.run("import", bundle, "policy.toml", code=2).err
    assert "are for bundles" in far.run("import", "policy.toml", "--map", "a=b", code=2).err
    assert far.listed() == {}
    far.run("import", bundle, "--map", "vendor=outer")
    assert far.listed().keys() == {NAME}


def test_what_was_first_stays_and_reserved_names_are_kept(tmp_path: Path) -> None:
    far = Folder(tmp_path / "far", BOTH.format(url="http://127.0.0.1:9/simple/"))
    content = wheel("demo", "1.0", files={"b.py": b""})[1]
    private = wheel("acme-lib", "1.0")
    mine = [file_of(NAME, WHEEL, source="outer"), file_of(*private, source="outer")]
    told = [document(one, source="outer", kind="remote") for one in reversed(mine)]
    done = far.run(
        "import", far.put("x", whole(lines_of(told, [WHEEL, private[1]]), [WHEEL, private[1]])), code=1
    )
    assert "refused: acme-lib\n    the name is reserved for the source acme here" in done.out
    assert far.listed("acme-lib") == {}
    other = document(file_of(NAME, content, source="outer"), source="outer", kind="remote")
    for _ in range(2):
        done = far.run("import", far.put("x", whole(lines_of([other], [content]), [content])), code=1)
        assert f"refused: {NAME}" in done.out
        assert far.listed() == {NAME: hashlib.sha256(WHEEL).hexdigest()}
    assert [line["detail"]["what"] for line in far.audit("incident")] == ["hash-changed"]


def test_files_of_a_folder_go_into_a_folder(tmp_path: Path) -> None:
    config = '[sources.wheels]\nkind = "directory"\npath = "house"\n\n[indexes.main]\nsources = ["wheels"]\n'
    near, far = Folder(tmp_path / "near", config), Folder(tmp_path / "far", config)
    for folder in (near, far):
        (folder.path / "house").mkdir()
    (near.path / "house" / NAME).write_bytes(WHEEL)
    near.run("export", "bundle", "x.bundle")
    far.run("import", near.path / "x.bundle")
    assert (far.path / "house" / NAME).read_bytes() == WHEEL
    # Wherever in the folder it lies.
    (far.path / "house" / "below").mkdir()
    (far.path / "house" / NAME).rename(far.path / "house" / "below" / NAME)
    assert far.run("import", near.path / "x.bundle", "--json").json["new"] == 0
    (far.path / "house" / "below" / NAME).rename(far.path / "house" / NAME)
    (far.path / "house" / NAME).write_bytes(b"other")
    assert "another file of that name" in far.run("import", near.path / "x.bundle", code=1).out
    assert (far.path / "house" / NAME).read_bytes() == b"other"


def test_only_what_is_here_and_admitted_goes(tmp_path: Path, outside: Outside) -> None:
    near = Folder(tmp_path / "near", BOTH.format(url=outside.url))
    for version in ("1.0", "2.0", "3.0"):
        outside.add(*wheel("demo", version))
    near.put("r.txt", b"demo==1.0\n")
    near.put("two.txt", b"demo==2.0\n")
    near.run("mirror", "-r", "two.txt")
    near.run("export", "bundle", "x.bundle", "-r", "r.txt", "--json")
    only = near.run("export", "bundle", "x.bundle", "-r", "r.txt", "--json").json
    assert (only["files"], only["listed"], only["absent"]) == (1, 1, 0)
    done = near.run("export", "bundle", "x.bundle", "--json").json
    assert (done["files"], done["absent"], done["blocked"]) == (2, 1, 0)
    near.put("policy.toml", b'[deny]\npackages = ["demo==1.0"]\n')
    done = near.run("export", "bundle", "x.bundle", "--json").json
    assert (done["files"], done["absent"], done["blocked"]) == (1, 1, 1)
    # The far side is told, and decides for itself.
    near.put("policy.toml", b"")
    near.run("export", "bundle", "all.bundle")
    far = Folder(tmp_path / "far", BOTH.format(url=outside.url))
    far.run("import", near.path / "all.bundle")
    near.put("policy.toml", b'[deny]\npackages = ["demo==1.0"]\nreason = "INC-42"\n')
    near.run("export", "bundle", "x.bundle")
    told = far.run("import", near.path / "x.bundle", "--json").json
    assert [(one["what"][:8], one["why"]) for one in told["blocked_there"]] == [
        ("demo-1.0", ['wheelkeep: deny: INC-42 (denied as "demo==1.0")'])
    ]
    assert len(far.listed()) == 2
    near.put("r.txt", b"nowhere==1.0\n")
    near.run("export", "bundle", "y.bundle", "-r", "r.txt", code=1)
    assert not (near.path / "y.bundle").exists()
    assert "there is no snapshot monday" in near.run("export", "bundle", "y", "--since", "monday", code=1).err
    assert near.run("export", "bundle", "absent/x", code=2).out == ""


def test_a_damaged_file_goes_nowhere(tmp_path: Path) -> None:
    near = Folder(tmp_path / "near")
    near.run("import", near.put(NAME, WHEEL))
    sha256 = hashlib.sha256(WHEEL).hexdigest()
    stored = near.path / "wheelkeep-data/blobs/sha256" / sha256[:2] / sha256
    stored.chmod(0o600)
    stored.write_bytes(bytes(len(WHEEL)))
    assert f"{sha256} is damaged" in near.run("export", "bundle", "x.bundle", code=1).err
    assert not list(near.path.glob("*.bundle*"))


def test_a_head_of_another_keep_is_no_bundle(far: Folder) -> None:
    one = file_of(NAME, WHEEL)
    lines = lines_of([document(one)], [WHEEL], head(OTHER))
    assert "is not signed by the key of" in far.run("import", far.put("x", whole(lines, [WHEEL])), code=1).err
    stray = whole(lines_of([document(one)], [WHEEL, b"more"]), [WHEEL, b"more"])
    assert "of which it tells nothing" in far.run("import", far.put("x", stray), code=1).err
    lacking = whole(lines_of([document(one)], []), [])
    assert "neither in it nor here" in far.run("import", far.put("x", lacking), code=1).err
