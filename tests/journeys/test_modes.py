"""One set of sources in the four modes of merging: what pip and uv get, and what nobody outside is ever asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import faults
from fakes.ask import JSON
from fakes.clients import Client
from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

MODES = {"strict": "strict", "floor": "floor", "pinned": "pinned", "blend": "unsafe-blend"}
"""Index to mode."""
PINS = """
[[indexes.pinned.pin]]
package  = "demo"
source   = "outer"
version  = "1.*"
priority = 990

[[indexes.pinned.pin]]
package  = "twin"
version  = "2.0"
priority = -1

[[indexes.pinned.pin]]
source   = "outer"
priority = 100
"""


def put(folder: Path, *made: tuple[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in made:
        (folder / name).write_bytes(content)


def saying(name: str, version: str, source: str) -> tuple[str, bytes]:
    """A wheel whose module says which source it is from."""
    return wheel(name, version, files={f"{name}.py": f"FROM = {source!r}\n".encode()})


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        yield outside


@pytest.fixture(scope="module")
def server(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    tmp_path = tmp_path_factory.mktemp("world")
    put(tmp_path / "acme", saying("demo", "1.5", "acme"), saying("twin", "1.0", "acme"))
    put(tmp_path / "acme", saying("away", "1.0", "acme"))
    put(
        tmp_path / "wheels",
        *(saying("demo", version, "wheels") for version in ("1.2", "2.0")),
        saying("tool", "1.0", "wheels"),
    )
    for name, version in [
        *(("demo", version) for version in ("0.9", "1.3", "9.0")),
        ("tool", "3.0"),
        ("twin", "1.0"),
        ("twin", "2.0"),
        ("other", "1.0"),
        ("secret-tool", "99.0"),
    ]:
        outside.add(*saying(name.replace("-", "_"), version, "outer"))
    config = f"""
[sources.acme]
kind  = "directory"
path  = "{tmp_path / "acme"}"
names = ["secret-*"]

[sources.wheels]
kind = "directory"
path = "{tmp_path / "wheels"}"

[sources.outer]
kind = "remote"
url  = "{outside.url}"
"""
    for index, mode in MODES.items():
        config += f'\n[indexes.{index}]\nsources = ["acme", "wheels", "outer"]\nmerge = "{mode}"\n'
    with Server(tmp_path / "keep", config + PINS) as running:
        yield running


ALL = ("demo", "tool", "twin", "other")
LATEST = {
    "strict": {"demo": "1.5", "tool": "1.0", "twin": "1.0", "other": "1.0"},
    "floor": {"demo": "1.5", "tool": "1.0", "twin": "1.0", "other": "1.0"},
    "pinned": {"demo": "1.3", "tool": "1.0", "twin": "1.0", "other": "1.0"},
    "blend": {"demo": "9.0", "tool": "3.0", "twin": "2.0", "other": "1.0"},
}
FROM = {
    "strict": {"demo": "acme", "tool": "wheels", "twin": "acme", "other": "outer"},
    "floor": {"demo": "acme", "tool": "wheels", "twin": "acme", "other": "outer"},
    "pinned": {"demo": "outer", "tool": "wheels", "twin": "acme", "other": "outer"},
    "blend": {"demo": "outer", "tool": "outer", "twin": "outer", "other": "outer"},
}
ASKED = {
    # What is asked for, and the version in each mode; None: the client finds nothing.
    "demo<1.5": {"strict": None, "floor": "1.2", "pinned": "1.3", "blend": "1.3"},
    "demo<1.2": {"strict": None, "floor": "0.9", "pinned": None, "blend": "0.9"},
    "demo==2.0": {"strict": None, "floor": None, "pinned": None, "blend": "2.0"},
}


def said(folder: Path, name: str) -> str:
    """The source that an installed module tells."""
    return (folder / f"{name}.py").read_text().split("'")[1]


@pytest.mark.parametrize("index", MODES)
def test_what_is_installed(index: str, installer: Client, server: Server, tmp_path: Path) -> None:
    latest = tmp_path / "latest"
    assert installer.got(server.simple(index), latest, *ALL) == LATEST[index]
    assert {name: said(latest, name) for name in ALL} == FROM[index]
    for at, (requirement, versions) in enumerate(ASKED.items() if not installer.is_pip else ()):
        into = tmp_path / f"asked-{at}"
        if (version := versions[index]) is not None:
            assert installer.got(server.simple(index), into, requirement) == {"demo": version}
        else:
            assert installer.install(server.simple(index), into, requirement).code != 0
            assert not list(into.glob("*.dist-info"))


def test_one_file_name_has_the_better_ones_bytes(uv: Client, server: Server, tmp_path: Path) -> None:
    """Even in a blend: both acme and outer have a twin 1.0, under the same file name."""
    for index in MODES:
        assert uv.got(server.simple(index), tmp_path / index, "twin==1.0") == {"twin": "1.0"}
        assert said(tmp_path / index, "twin") == "acme"


def test_a_reserved_name_is_told_to_nobody(server: Server, outside: Outside) -> None:
    for index in MODES:
        page = server.get(f"/{index}/simple/secret-tool/", Accept=JSON)
        assert (page.status, page.json["files"]) == (200, [])
        assert server.get(f"/{index}/simple/other/", Accept=JSON).status == 200
    assert outside.asked("/simple/other/")
    assert not [entry for entry in outside.log if "secret" in entry.path]


def test_an_outage_is_not_an_absence(server: Server, outside: Outside) -> None:
    """Only where a better source decides alone does it not matter that another is away."""
    for name in ("away", "unheard-of"):
        outside.faults[f"/simple/{name}/"] = faults.status(500)
    for index in MODES:
        answer = server.get(f"/{index}/simple/away/", Accept=JSON)
        assert answer.status == (200 if index == "strict" else 503)
        assert server.get(f"/{index}/simple/unheard-of/", Accept=JSON).status == 503


def test_a_blend_is_warned_of(server: Server) -> None:
    warning = "mixes the files of all sources: who can publish in one can replace what others hold"
    assert server.log.count(warning) == 1
    check = quickly("check", cwd=server.folder)
    assert check.code == 0
    assert f"indexes.blend.merge: {warning}" in check.out
