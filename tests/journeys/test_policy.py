"""Policies with real clients: an older admitted version is taken, and the reason is in what they print."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.ask import JSON
from fakes.clients import Client
from fakes.dists import metadata, wheel
from fakes.faults import Answer
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"

[indexes.omits]
sources = ["outer"]
policy = "policy.toml"
withheld = "omit"

[indexes.edited]
sources = ["outer"]
policy = "edited.toml"

[indexes.small]
sources = ["outer"]
policy = "small.toml"

[indexes.held]
sources = ["outer"]
policy = "held.toml"

[indexes.tiny]
sources = ["outer"]
policy = "tiny.toml"

[indexes.stated]
sources = ["outer"]
policy = "stated.toml"

[indexes.free]
sources = ["outer"]
"""
POLICY = """
[allow]
packages = ["demo", "all-bad", "ranged<2", "unstated", "lifted", "by-hash"]

[deny]
packages = ["demo>=2", "all-bad", "lifted>=2"]
hashes = ["sha256:{hash}"]
reason = "INC-42"

[hashes]
required = true

[[waiver]]
package = "lifted==2.0"
gates = ["deny"]
reason = "needed to reproduce INC-42"
by = "security@acme.example"
until = 2999-12-31

[[waiver]]
package = "demo"
gates = ["deny"]
reason = "it was needed then"
by = "security@acme.example"
until = 2020-01-01
"""
PLACE = f"aa/bb/{'c' * 60}"


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    with Outside() as outside:
        for name in ("demo", "all-bad", "ranged", "unstated", "lifted", "unlisted", "by-hash"):
            for version in ("1.0", "2.0"):
                filename, content = wheel(name, version)
                told = metadata(name, version).encode()
                # Under the paths that lock files have.
                url = f"{outside.origin}/packages/{PLACE}/{filename}"
                outside.bodies[f"/packages/{PLACE}/{filename}"] = Answer(200, {}, content)
                outside.bodies[f"/packages/{PLACE}/{filename}.metadata"] = Answer(200, {}, told)
                stated = "" if (name, version) == ("unstated", "2.0") else None
                outside.add(filename, content, metadata=told, url=url, sha256=stated)
        outside.add(*wheel("unhashed", "1.0"), sha256="")
        yield outside


@pytest.fixture(scope="module")
def server(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("keep")
    denied = hashlib.sha256(wheel("by-hash", "2.0")[1]).hexdigest()
    (folder / "policy.toml").write_text(POLICY.format(hash=denied))
    (folder / "edited.toml").write_text("")
    (folder / "held.toml").write_text('[cooldown]\nage = "5000w"\n')
    (folder / "stated.toml").write_text("[hashes]\nrequired = true\n")
    (folder / "tiny.toml").write_text('[formats]\nmax_size = "1B"\n')
    (folder / "small.toml").write_text('[formats]\nmax_size = "4KB"\n')
    with Server(folder, CONFIG.format(url=world.url)) as server:
        yield server


def test_an_older_admitted_version_is_taken(client: Client, server: Server, tmp_path: Path) -> None:
    wanted = ["demo", "ranged", "unstated", "lifted", "by-hash"]
    found = client.got(server.simple(), tmp_path / "yanked", *wanted)
    assert found == {"demo": "1.0", "ranged": "1.0", "unstated": "1.0", "lifted": "2.0", "by-hash": "1.0"}
    if not client.is_pip:
        assert client.got(server.simple("omits"), tmp_path / "omitted", *wanted) == found


def test_a_pinned_blocked_version_fails_with_the_reason(
    client: Client, server: Server, tmp_path: Path
) -> None:
    done = client.install(server.simple(), tmp_path / "into", "demo==2.0")
    assert done.code != 0
    if client.is_pip:
        assert (
            f"{server.url}/main/blocked/deny/INC-42-denied-as-demo-2/demo-2.0-py3-none-any.whl" in done.said
        )
        assert "403" in done.said
    else:
        assert 'wheelkeep: deny: INC-42 (denied as "demo>=2")' in done.words
        assert "To change that, the denial must be lifted" in done.words
    assert not list((tmp_path / "into").glob("demo*"))


def test_a_file_without_a_hash_is_refused_in_the_words_of_the_gate(
    new_pip: Client, uv: Client, server: Server, tmp_path: Path
) -> None:
    """The lines that docs/reasons.md shows."""
    says = "wheelkeep: hashes: its page tells no sha256, and the policy requires one"
    done = new_pip.install(server.simple("stated"), tmp_path / "into", "unstated==2.0")
    words = "its-page-tells-no-sha256-and-the-policy-requires-one"
    place = f"{server.url}/stated/blocked/hashes/{words}/unstated-2.0-py3-none-any.whl"
    assert done.code != 0
    assert f"Reason for being yanked: {says}" in done.said
    assert f"ERROR: 403 Client Error: Forbidden for url: {place}" in done.said
    done = uv.install(server.simple("stated"), tmp_path / "into", "unstated==2.0")
    assert done.code != 0
    what = "Blocked by the policy: hashes, unstated-2.0-py3-none-any.whl"
    remedy = "To change that, the source must state a sha256 for the file."
    assert f"Server message: {what}: {says}. {remedy}" in done.words
    # Not pinned, another version is taken; where there is none, pip says why in the only place that it shows.
    done = new_pip.install(server.simple("stated"), tmp_path / "into", "unhashed")
    assert done.code != 0
    assert "==99+blocked.by.wheelkeep.hashes.its.page.tells.no.sha256" in done.said


def test_nothing_admitted_at_all(client: Client, server: Server, tmp_path: Path) -> None:
    done = client.install(server.simple(), tmp_path / "into", "all-bad")
    assert done.code != 0
    if client.is_pip:
        # pip shows no reason of a yanked file here, only a Python that it would need.
        assert "blocked.by.wheelkeep.deny.inc.42" in done.words
    else:
        assert "wheelkeep: deny: INC-42" in done.words
        # Where blocked files are left out there is nothing to say it with.
        assert client.install(server.simple("omits"), tmp_path / "into", "all-bad").code != 0


def test_what_is_held_or_too_large_is_refused_in_words(
    client: Client, server: Server, tmp_path: Path
) -> None:
    for index, gate, words in (
        ("held", "cooldown", "held until"),
        ("tiny", "formats", "more than the 1 that are allowed"),
    ):
        done = client.install(server.simple(index), tmp_path / index, "demo==2.0")
        assert done.code != 0
        if client.is_pip:
            # Nothing of the project is admitted, so pip shows only the Python that it would need.
            assert f"blocked.by.wheelkeep.{gate}." in done.words
            assert words.replace(" ", ".") in done.words
        else:
            assert f"wheelkeep: {gate}: " in done.words
            assert words in done.words


def test_a_range_of_which_nothing_is_admitted(
    new_pip: Client, uv: Client, server: Server, tmp_path: Path
) -> None:
    """The older pip only says which versions there are."""
    done = new_pip.install(server.simple(), tmp_path / "into", "ranged>=2")
    assert done.code != 0
    assert "Ignored the following yanked versions: 2.0" in done.words
    done = uv.install(server.simple(), tmp_path / "into", "ranged>=2")
    assert done.code != 0
    assert "wheelkeep: allow: ranged 2.0 is not on the allow list, which has ranged<2" in done.words


def test_a_name_that_the_allow_list_does_not_know(
    new_pip: Client, uv: Client, server: Server, world: Outside, tmp_path: Path
) -> None:
    for client in (new_pip, uv):
        assert client.install(server.simple(), tmp_path / "into", "unlisted").code != 0
    assert not [entry for entry in world.log if "unlisted" in entry.path]


def test_bytes_of_a_blocked_file_are_not_to_be_had_by_any_address(server: Server, world: Outside) -> None:
    """Not even where another index of the same keep has them stored."""
    for name in ("demo", "unstated", "by-hash"):
        filename, content = wheel(name, "2.0")
        sha256 = hashlib.sha256(content).hexdigest()
        whole = server.get(f"/free/files/{name}/-/{filename}")
        assert whole.body == content
        assert sha256 in server.blobs()
        for index in ("main", "omits"):
            for place in (f"files/{name}/{sha256}", f"files/{name}/-", f"packages/{PLACE}"):
                path = f"/{index}/{place}/{filename}"
                for method in ("GET", "HEAD", "POST"):
                    for headers in (
                        {},
                        {"Range": "bytes=0-9"},
                        {"Range": "bytes=0-9", "If_Range": f'"{sha256}"'},
                        {"If_None_Match": f'"{sha256}"'},
                        {"X_HTTP_Method_Override": "GET"},
                    ):
                        reply = server.get(path, method, **headers)
                        assert reply.status == (405 if method == "POST" else 302), (
                            path,
                            method,
                            reply.status,
                        )
                        assert content[:10] not in reply.body
                for odd in (
                    f"{path}/",
                    f"{path}%00",
                    f"{path}?x=y",
                    path.replace("/files/", "//files/"),
                    path + ".asc",
                ):
                    reply = server.get(odd)
                    assert reply.status in {302, 404}, odd
                    assert content[:10] not in reply.body
                assert server.get(f"{path}.metadata").body == metadata(name, "2.0").encode()


def test_a_page_that_tells_a_smaller_size_brings_no_larger_file_in(server: Server, world: Outside) -> None:
    filename, content = wheel("liar", "1.0", files={"liar/data": random.Random(1).randbytes(9_000)})
    sha256 = hashlib.sha256(content).hexdigest()
    for number in (0, 1):
        name = filename.replace("1.0", f"1.{number}")
        world.bodies[f"/liar/{name}"] = Answer(200, {}, content)
        world.add(name, b"little", sha256=sha256, url=f"{world.origin}/liar/{name}")
    for number, headers in enumerate(({}, {"Range": "bytes=0-9"})):
        path = f"/small/files/liar/{sha256}/{filename.replace('1.0', f'1.{number}')}"
        reply = server.get(path, **headers)
        assert (reply.status, reply.body) == (302, b""), reply.status
        assert "/blocked/formats/" in reply.headers["location"]
        assert server.get(path, "HEAD").status == 302


def eventually(what: Callable[[], Any]) -> None:
    """Waits until something is so; a policy is read again within a few seconds of its change."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "it did not come to be so"
        time.sleep(0.05)


def test_an_edited_policy_takes_effect_and_a_broken_one_does_not(server: Server, world: Outside) -> None:
    policy = server.folder / "edited.toml"
    filename, content = wheel("demo", "2.0")
    path = f"/edited/files/demo/{hashlib.sha256(content).hexdigest()}/{filename}"

    def yanked() -> dict[str, Any]:
        files = server.get("/edited/simple/demo/", Accept=JSON).json["files"]
        return {file["filename"]: file["yanked"] for file in files}

    assert set(yanked().values()) == {False}
    assert server.get(path).body == content

    policy.write_text('[deny]\npackages = ["demo==2.0"]\nreason = "first"\n')
    eventually(lambda: yanked()[filename])
    assert "first" in yanked()[filename]
    assert server.get(path).status == 302

    for broken in ("[deny\n", '[deny]\npackages = ["demo"]\nraeson = "x"\n', ""):
        if broken:
            policy.write_text(broken)
        else:
            policy.unlink()
        count = server.log.count('"policy_broken"')
        eventually(lambda count=count: server.log.count('"policy_broken"') > count)
        assert "first" in yanked()[filename]
        assert server.get(path).status == 302

    # As editors save: another file takes the old one's place.
    other = policy.with_suffix(".new")
    other.write_text('[deny]\npackages = ["demo==1.0"]\nreason = "second"\n')
    other.rename(policy)
    eventually(lambda: not yanked()[filename])
    assert "second" in yanked()["demo-1.0-py3-none-any.whl"]
    assert server.get(path).body == content
