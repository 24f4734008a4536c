"""Staged previews: an index as it would be, for whoever has the address and nobody else."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest

from fakes import attesters
from fakes.ask import JSON, Reply, ask
from fakes.dists import sdist, wheel
from fakes.outside import Outside
from fakes.staging import Staged, Staging
from fakes.uploads import basic
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.attested import AttestedFiles
from wheelkeep.store.database import Database

CONFIG = """
experimental = ["upload-2.0"]
trust_roots = ["root.json"]

[sources.acme]
kind = "hosted"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["acme", "outer"]
policy = "policy.toml"
publish = "acme"

[indexes.closed]
sources = ["acme", "outer"]
publish = "acme"
read = "token"

[indexes.below]
sources = ["outer", "acme"]
publish = "acme"
"""
POLICY = """
[deny]
packages = ["acme-denied"]
reason = "INC-42"

[provenance]
required = ["acme-signed"]
sources = ["acme"]
"""


@dataclass(slots=True)
class World:
    server: Staging
    outside: Outside
    tokens: dict[str, str]

    def open(self, name: str, index: str = "main") -> Staged:
        told = {"name": name, "version": "2.0"}
        made = self.server.call("POST", f"{self.server.url}/{index}/upload/2.0/", told)
        assert made.status == 201, made.body
        return Staged(self.server, made, None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("stage")
    (folder / "policy.toml").write_text(POLICY)
    attesters.authority().root(folder / "root.json")
    with Outside() as outside:
        outside.add(*wheel("acme-lib", "9.0"))
        outside.add(*wheel("acme-other", "9.0"))
        outside.add(*wheel("demo", "1.0"))
        with Staging(folder, CONFIG.format(url=outside.url)) as server:
            tokens = server.make_tokens({"reader": ["read:closed"], "stranger": ["read:main"]})
            yield World(server, outside, tokens)


def shown(page: Reply) -> dict[str, dict[str, object]]:
    assert page.status == 200, page.body
    return {file["filename"]: file for file in page.json["files"]}


def test_the_index_as_it_would_be(world: World) -> None:
    """The staged release hides what a lower source has of its name, as it will once it is published."""
    session, server = world.open("acme-lib"), world.server
    filename, content = wheel("acme-lib", "2.0", requires_python=">=3.8")
    session.add(filename, content)
    coming = session.announce(*sdist("acme-lib", "2.0"))
    stage = session.links["stage"]
    page = ask(f"{stage}acme-lib/", Accept=JSON)
    (file,) = shown(page).values()
    assert page.headers["cache-control"] == "private, no-cache"
    sha256 = hashlib.sha256(content).hexdigest()
    assert (file["hashes"], file["requires-python"]) == ({"sha256": sha256}, ">=3.8")
    url = urljoin(f"{stage}acme-lib/", str(file["url"]))
    assert session.secret in url
    got = ask(url)
    assert (got.status, got.body) == (200, content)
    assert got.headers["cache-control"] == "private, no-cache"
    assert ask(url, Range="bytes=1-3").body == content[1:4]
    assert ask(url, If_None_Match=got.headers["etag"]).status == 304
    metadata = ask(f"{url}.metadata")
    assert metadata.text.startswith("Metadata-Version: 2.1\nName: acme-lib\n")
    assert file["core-metadata"] == {"sha256": hashlib.sha256(metadata.body).hexdigest()}
    # Everything else is the index: other projects, their files, the list.
    (other,) = shown(ask(f"{stage}demo/", Accept=JSON)).values()
    assert ask(urljoin(f"{stage}demo/", str(other["url"]))).body == wheel("demo", "1.0")[1]
    assert ask(f"{stage}nothing/").status == 404
    assert {"name": "acme-lib"} in ask(stage, Accept=JSON).json["projects"]
    assert ask(f"{stage}Acme.Lib/").headers["location"] == "../acme-lib/"
    assert ask(f"{stage}acme-lib").headers["location"] == "acme-lib/"
    # And nobody else sees any of it.
    assert list(shown(server.get("/main/simple/acme-lib/", Accept=JSON))) == ["acme_lib-9.0-py3-none-any.whl"]
    assert server.get(f"/main/files/acme-lib/{sha256}/{filename}").status == 404
    assert server.get(f"/main/files/acme-lib/-/{filename}").status == 404
    assert server.get("/main/pypi/acme-lib/2.0/json").status == 404
    assert session.call("DELETE", coming.json["links"]["file-upload-session"]).status == 204
    assert session.publish().status == 201
    assert list(shown(server.get("/main/simple/acme-lib/", Accept=JSON))) == [filename]
    assert ask(f"{stage}acme-lib/").status == ask(url).status == 404


def test_what_is_published_comes_with_what_is_staged(world: World) -> None:
    session = world.open("acme-both")
    session.add(*wheel("acme-both", "2.0"))
    made = wheel("acme-both", "1.0")
    assert world.server.publish("acme-both", "1.0", *made).status == 200
    page = shown(ask(f"{session.links['stage']}acme-both/", Accept=JSON))
    assert sorted(page) == ["acme_both-1.0-py3-none-any.whl", "acme_both-2.0-py3-none-any.whl"]
    for filename, file in page.items():
        url = urljoin(f"{session.links['stage']}acme-both/", str(file["url"]))
        assert ask(url).status == ask(f"{url}.metadata").status == 200, filename
    # What was published under a staged name meanwhile is what the index has, and so the stage.
    _, other = wheel("acme-both", "2.0", files={"other.py": b""})
    assert world.server.publish("acme-both", "2.0", "acme_both-2.0-py3-none-any.whl", other).status == 200
    file = shown(ask(f"{session.links['stage']}acme-both/", Accept=JSON))["acme_both-2.0-py3-none-any.whl"]
    assert ask(urljoin(f"{session.links['stage']}acme-both/", str(file["url"]))).body == other
    session.cancel()


def test_a_flipped_bit_is_not_shown_on_a_stage_either(world: World) -> None:
    session = world.open("acme-flipped")
    before = set(world.server.staged_bytes())
    _, content = wheel("acme-flipped", "2.0")
    session.add(*wheel("acme-flipped", "2.0"))
    (lies,) = set(world.server.staged_bytes()) - before
    (file,) = shown(ask(f"{session.links['stage']}acme-flipped/", Accept=JSON)).values()
    url = urljoin(f"{session.links['stage']}acme-flipped/", str(file["url"]))
    assert ask(url).body == content
    lies.chmod(0o600)
    lies.write_bytes(b"X" + content[1:])
    for headers in ({}, {"Range": "bytes=0-3"}):
        answer = ask(url, **headers)
        assert answer.status == 503 and "are damaged" in answer.json["detail"]
    session.cancel()


def test_the_address_is_the_key(world: World) -> None:
    session = world.open("acme-secret")
    session.add(*wheel("acme-secret", "2.0"))
    stage = session.links["stage"]
    wrong = f"{session.secret[:-1]}{'A' if session.secret[-1] != 'A' else 'B'}"
    for address in (
        stage.replace(session.secret, wrong),
        stage.replace(session.secret, session.secret.upper()),
        stage.replace("/main/", "/below/"),
        stage.replace(f"{session.secret}/", ""),
        stage.replace("simple/", ""),
        stage.replace("simple/", "legacy/"),
        stage.replace("/main/stage/", "/stage/"),
    ):
        assert ask(address).status == 404, address
    for method in ("POST", "DELETE", "PUT"):
        assert ask(stage, method).status == 405
    # Whoever has it needs nothing else, and can change nothing by it.
    assert ask(f"{stage}acme-secret/").status == 200
    for link in (
        session.links["session"],
        session.status()["files"]["acme_secret-2.0-py3-none-any.whl"]["link"],
    ):
        assert ask(link).status == 401
    assert session.secret not in world.server.log
    session.cancel()


def test_a_closed_index_wants_its_token_too(world: World) -> None:
    session = world.open("acme-closed", "closed")
    session.add(*wheel("acme-closed", "2.0"))
    address = f"{session.links['stage']}acme-closed/"
    assert ask(address).status == 401
    assert ask(address, Authorization=basic(world.server.token)).status == 403
    assert ask(address, Authorization=basic(world.tokens["stranger"])).status == 403
    page = ask(address, Accept=JSON, Authorization=basic(world.tokens["reader"]))
    (file,) = shown(page).values()
    url = urljoin(address, str(file["url"]))
    assert ask(url).status == 401
    assert ask(url, Authorization=basic(world.tokens["reader"])).status == 200
    # An open index over the same source is no way round.
    for index in ("main", "below"):
        assert ask(address.replace("/closed/", f"/{index}/")).status == 404
        assert shown_or_none(world, index) == []
    session.cancel()


def shown_or_none(world: World, index: str) -> list[str]:
    page = world.server.get(f"/{index}/simple/acme-closed/", Accept=JSON)
    return list(shown(page)) if page.status == 200 else []


def test_the_policy_holds_on_a_stage(world: World) -> None:
    session = world.open("acme-denied")
    session.add(*wheel("acme-denied", "2.0"))
    address = f"{session.links['stage']}acme-denied/"
    (file,) = shown(ask(address, Accept=JSON)).values()
    assert str(file["yanked"]).startswith("wheelkeep: deny: INC-42")
    url = urljoin(address, str(file["url"]))
    refused = ask(url)
    assert refused.status == 302
    assert ask(f"{url}.metadata").status == 200
    told = ask(urljoin(url, refused.headers["location"]))
    assert told.status == 403 and "INC-42" in told.detail
    session.cancel()


def test_a_source_that_is_not_the_best(world: World) -> None:
    """Merged as it will be: below another source that has the name, the staged release does not show."""
    session = world.open("acme-other", "below")
    filename, content = wheel("acme-other", "2.0")
    session.add(filename, content)
    page = shown(ask(f"{session.links['stage']}acme-other/", Accept=JSON))
    assert list(page) == ["acme_other-9.0-py3-none-any.whl"]
    base = session.links["stage"].replace("simple/", "files/acme-other/")
    assert ask(f"{base}{hashlib.sha256(content).hexdigest()}/{filename}").status == 404
    session.cancel()


def test_attestations_count_on_a_stage_and_nothing_is_remembered(world: World) -> None:
    """What a stage learns of a staged file goes with it: it stands in the way of nobody who publishes later."""
    session = world.open("acme-signed")
    filename, content = wheel("acme-signed", "2.0")
    announced = session.announce(filename, content)
    given = [attesters.authority().attestation(filename, hashlib.sha256(content).hexdigest())]
    url = announced.json["mechanism"]["attestations_url"]
    assert session.call("POST", url, json.dumps(given).encode(), kind="application/json").status == 204
    assert session.send(announced, content).status == 204
    assert session.complete(announced).status == 201
    session.add(*sdist("acme-signed", "2.0"))
    address = f"{session.links['stage']}acme-signed/"
    for _ in range(2):
        page = shown(ask(address, Accept=JSON))
        assert page[filename]["yanked"] is False
        assert str(page["acme_signed-2.0.tar.gz"]["yanked"]).startswith("wheelkeep: provenance: ")
        assert ask(urljoin(address, str(page[filename]["url"]))).body == content
        assert asyncio.run(remembered(world)) == 0
    assert session.publish().status == 201
    page = shown(world.server.get("/main/simple/acme-signed/", Accept=JSON))
    assert page[filename]["yanked"] is False
    assert asyncio.run(remembered(world)) == 1


async def remembered(world: World) -> int:
    database = Database(world.server.data / "wheelkeep.sqlite")
    known = await AttestedFiles(database).of(ProjectName("acme-signed"), [SourceName("acme")])
    await database.close()
    return len(known)
