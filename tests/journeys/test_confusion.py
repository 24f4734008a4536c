"""Dependency confusion: a private name belongs to the private source, and nobody outside ever hears of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from fakes.ask import JSON
from fakes.clients import Client, contents
from fakes.dists import metadata, sdist, wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.private]
kind = "directory"
path = "wheelhouse"
names = ["acme-*", "acmelib"]

[sources.public]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["private", "public"]

[indexes.open]
sources = ["public"]

[indexes.behind]
sources = ["public", "private"]
"""
PRIVATE = re.compile(r"foo[-_.]*bar|acme|old[-_.]*ours", re.IGNORECASE)


@pytest.fixture(scope="module")
def public() -> Iterator[Outside]:
    with Outside() as outside:
        for name in ("Foo.Bar", "acme-tool", "acmelib", "old-ours"):
            made = wheel(name, "99.0", files={"stolen.py": b"print('stolen')\n"})
            outside.add(
                *made, metadata=metadata(name, "99.0").encode(), provenance={"version": 1, "stolen": True}
            )
            outside.add(*sdist(name, "99.0"))
        outside.add(*wheel("fine", "1.0"))
        yield outside


@pytest.fixture(scope="module")
def server(public: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("keep")
    (folder / "wheelhouse" / "deep").mkdir(parents=True)
    put(folder / "wheelhouse", *wheel("Foo_Bar", "1.0", requires=["fine"]))
    # An old name of an sdist: the version is "1.0-1", so the dash before it ends the name.
    put(folder / "wheelhouse" / "deep", "old-ours-1.0-1.tar.gz", sdist("old-ours", "1.0.post1")[1])
    with Server(folder, CONFIG.format(url=public.url)) as server:
        yield server


def put(folder: Path, filename: str, content: bytes) -> None:
    (folder / filename).write_bytes(content)


def told(public: Outside) -> list[str]:
    """What the outside heard of private names."""
    return [entry.path for entry in public.log if PRIVATE.search(unquote(entry.path))]


def addresses(index: str, spelling: str) -> list[str]:
    """Every address that speaks of a name, as a client may write it."""
    module, sha256 = re.sub(r"[-.]", "_", spelling), "a" * 64
    normal = re.sub(r"[-_.]+", "-", spelling).lower()
    files = [
        f"{module}-99.0-py3-none-any.whl",
        f"{spelling}-99.0-py3-none-any.whl",
        f"{spelling}-99.0.tar.gz",
        f"{spelling}-99.0-1.tar.gz",
        f"{spelling}-99.0-beta.zip",
        f"{module}-99.0.post1-cp311-cp311-manylinux_2_17_x86_64.whl",
    ]
    pages = [f"/{index}/simple/{spelling}/", f"/{index}/simple/{spelling}", f"/{index}/pypi/{spelling}/json"]
    pages += [f"/{index}/pypi/{spelling}/99.0/json", f"/{index}/project/{spelling}/"]
    if index == "main":
        pages += [f"/simple/{spelling}/", f"/simple/{spelling}"]
    of_files = [
        f"/{index}/{address}"
        for file in files
        for name in {spelling, normal}
        for address in (
            f"files/{name}/-/{file}",
            f"files/{name}/{sha256}/{file}",
            f"files/{name}/-/{file}.metadata",
            f"files/{name}/{sha256}/{file}.metadata",
            f"packages/aa/bb/{'c' * 60}/{file}",
            f"packages/aa/bb/{'c' * 60}/{file}.metadata",
            f"integrity/{name}/99.0/{file}/provenance",
            f"blocked/deny/words/{file}",
        )
    ]
    return [*pages, *of_files]


def test_the_private_version_is_installed(
    client: Client, server: Server, public: Outside, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    assert client.got(server.simple(), into, "Foo.Bar", "old_ours") == {
        "foo-bar": "1.0",
        "fine": "1.0",
        "old-ours": "1.0.post1",
    }
    assert "stolen.py" not in contents(into)
    assert client.install(server.simple(), tmp_path / "pinned", "FOO_BAR==99.0").code != 0
    assert not told(public)


@pytest.mark.parametrize("spelling", ["foo-bar", "Foo_Bar", "foo.bar", "FOO-BAR", "foo__bar", "foo-.bar"])
def test_no_address_tells_of_a_name_that_a_private_source_has(
    server: Server, public: Outside, spelling: str
) -> None:
    for address in addresses("main", spelling):
        for method in ("GET", "HEAD"):
            reply = server.get(address, method)
            assert reply.status in {200, 301, 403, 404}, (address, reply.status)
            assert b"99.0" not in reply.body or reply.status != 200, address
    assert not told(public)


@pytest.mark.parametrize("index", ["main", "open", "behind"])
@pytest.mark.parametrize("spelling", ["acme-tool", "Acme_Tool", "ACME.TOOL", "acmelib", "ACMElib"])
def test_a_reserved_name_is_told_to_nobody_whatever_the_index(
    server: Server, public: Outside, index: str, spelling: str
) -> None:
    """Before the first file exists: no files where the owner is a source of the index, unknown elsewhere."""
    normal = re.sub(r"[-_.]+", "-", spelling).lower()
    page = server.get(f"/{index}/simple/{normal}/", Accept=JSON)
    if index == "open":
        assert page.status == 404
    else:
        assert (page.status, page.json["files"]) == (200, [])
    for address in addresses(index, spelling):
        reply = server.get(address)
        assert reply.status in {200, 301, 403, 404}, (address, reply.status)
        assert b"99.0" not in reply.body or reply.status != 200, address
    assert not told(public)


def test_lists_of_names_show_no_private_name_where_it_does_not_belong(
    server: Server, public: Outside
) -> None:
    assert server.get("/open/simple/", Accept=JSON).status == 200
    listed = {
        index: {entry["name"] for entry in server.get(f"/{index}/simple/", Accept=JSON).json["projects"]}
        for index in ("main", "open")
    }
    assert {"foo-bar", "old-ours", "fine"} <= listed["main"]
    assert not {"acme-tool", "acmelib"} & (listed["main"] | listed["open"])
    assert not told(public)


def test_an_unreadable_private_source_is_an_outage_not_an_absence(server: Server, public: Outside) -> None:
    wheelhouse, away = server.folder / "wheelhouse", server.folder / "away"
    wheelhouse.rename(away)
    try:
        server.restart()
        for address in ("/main/simple/foo-bar/", "/main/simple/fine/", "/main/pypi/foo-bar/json"):
            reply = server.get(address)
            assert (reply.status, "retry-after" in reply.headers) == (503, True), address
    finally:
        away.rename(wheelhouse)
        server.restart()
    assert server.get("/main/simple/foo-bar/", Accept=JSON).json["versions"] == ["1.0"]
    assert not told(public)
