"""Who gets what: every address of an open and of two closed indexes, asked by every kind of caller on a running server.

``main`` and ``other`` are closed, ``open`` is not; all three show the same source under the same policy, so ``open``
tells what a caller with the scope must get of ``main``.
"""

import asyncio
import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.ask import JSON, Reply
from fakes.dists import metadata, sdist, wheel
from fakes.faults import Answer
from fakes.outside import Outside
from fakes.server import Server
from wheelkeep.core import token_text
from wheelkeep.core.access import read_scope
from wheelkeep.store.database import Database
from wheelkeep.store.prepare import prepare
from wheelkeep.store.tokens import Tokens

CONFIG = """
experimental = ["upload-2.0"]

[sources.outer]
kind = "remote"
url = "{url}"

[sources.acme]
kind = "hosted"

[indexes.main]
sources = ["acme", "outer"]
policy = "policy.toml"
publish = "acme"
read = "token"

[indexes.other]
sources = ["acme", "outer"]
policy = "policy.toml"
read = "token"

[indexes.open]
sources = ["acme", "outer"]
policy = "policy.toml"
publish = "acme"
"""
POLICY = '[deny]\npackages = ["demo>=2", "never"]\nreason = "INC-42"\n'
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
GOOD = ("reader", "admin")
"""The callers that may read ``main``."""
SCOPES = {
    "reader": ["read:main"],
    "admin": ["admin"],
    "expired": ["admin"],
    "revoked": ["admin"],
    "publisher": ["publish:acme"],
    "stranger": ["read:other"],
    "approver": ["approve"],
    "idle": [],
}
NO_SCOPE = ("publisher", "stranger", "approver", "idle")
LAPSED = ("expired", "revoked")
GUESSES = ("unknown", "garbage", "user", "no-user")


@dataclass(slots=True)
class World:
    server: Server
    outside: Outside
    paths: list[str]
    """Below an index's name; some lead to something, some to nothing."""
    file: str
    """The one of these that is a file's."""
    given: dict[str, str | None] = field(default_factory=dict)
    """What each caller sends as its credentials."""
    secrets: list[str] = field(default_factory=list)

    def ask(self, path: str, caller: str, method: str = "GET", **headers: str) -> Reply:
        given = self.given[caller]
        if given is not None:
            headers["authorization"] = given
        return self.server.get(path, method, **headers)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "policy.toml").write_text(POLICY)
    with Outside() as outside:
        filename, content = wheel("demo", "1.0")
        proof = {"version": 1, "attestation_bundles": []}
        outside.add(filename, content, metadata=metadata("demo", "1.0").encode(), provenance=proof)
        outside.add(*sdist("demo", "0.9"))
        blocked, other = wheel("demo", "2.0")
        outside.add(blocked, other)
        outside.add(*wheel("never", "1.0"))
        placed, third = wheel("placed", "1.0")
        outside.bodies[f"/packages/aa/bb/cc/{placed}"] = Answer(200, {}, third)
        outside.add(placed, third, url=f"{outside.origin}/packages/aa/bb/cc/{placed}")
        sha256, bad = hashlib.sha256(content).hexdigest(), hashlib.sha256(other).hexdigest()
        with Server(folder, CONFIG.format(url=outside.url)) as server:
            file = f"/files/demo/{sha256}/{filename}"
            made = World(server, outside, addresses(file, f"/files/demo/{bad}/{blocked}", placed), file)
            made.secrets = asyncio.run(tokens(server.data, made.given))
            yield made
            for secret in made.secrets:
                # Where people put them by mistake.
                server.get(f"/{secret}/simple/", User_Agent=secret)
            assert_told_nowhere(made)


def addresses(file: str, denied: str, placed: str) -> list[str]:
    filename, blocked = file.rpartition("/")[2], denied.rpartition("/")[2]
    return [
        "",
        "/",
        "/project/demo",
        "/project/demo/",
        "/project/DeMo/",
        "/project/never/",
        "/project/nothing/",
        "/simple",
        "/simple/",
        "/simple/?format=" + JSON.replace("+", "%2B"),
        "/simple/demo",
        "/simple/demo/",
        "/simple/demo/?format=text/html",
        "/simple/demo/?format=nonsense",
        "/simple/DeMo",
        "/simple/DeMo/",
        "/simple/never/",
        "/simple/nothing",
        "/simple/nothing/",
        "/simple/No_Thing/",
        "/simple/-/",
        "/simple/demo/1/",
        file,
        f"{file}.metadata",
        f"/files/demo/-/{filename}",
        f"/files/demo/{'0' * 64}/{filename}",
        file.replace("demo", "DEMO", 1),
        denied,
        f"{denied}.metadata",
        "/files/nothing/-/nothing-1.0.tar.gz",
        "/files/",
        f"/packages/aa/bb/cc/{placed}",
        f"/packages/aa/bb/cc/{placed}.metadata",
        f"/packages/aa/bb/dd/{placed}",
        f"/packages/aa/bb/cc/{blocked}",
        f"/integrity/demo/1.0/{filename}/provenance",
        "/integrity/demo/1.0/nothing.whl/provenance",
        "/pypi/demo/json",
        "/pypi/DEMO/json",
        "/pypi/demo/1.0/json",
        "/pypi/demo/9.9/json",
        "/pypi/nothing/json",
        f"/blocked/deny/INC-42/{blocked}",
        f"/blocked/deny/INC-42/{filename}",
        "/blocked/deny/INC-42/nothing-1.0.tar.gz",
        "/project/demo/",
        "/legacy/",
        "/stage/",
        "/stage/wks_nothing/simple/",
        "/stage/wks_nothing/simple/demo/",
        "/nothing/at/all",
        "/simple/demo/%2e%2e/demo/",
    ]


async def tokens(data: Path, given: dict[str, str | None]) -> list[str]:
    """Makes a token for each kind of caller, as another process would; gives their texts."""
    database = Database(prepare(data))
    kept = Tokens(database)
    for name, scopes in SCOPES.items():
        text = token_text.write(os.urandom(token_text.RANDOM_BYTES))
        given[name] = f"Bearer {text}"
        await kept.add(
            text,
            name=name,
            scopes=tuple(read_scope(scope) for scope in scopes),
            created=NOW,
            expires=NOW - DAY if name == "expired" else NOW + DAY,
        )
    await kept.revoke("revoked", NOW)
    await database.close()
    secrets = [str(each).removeprefix("Bearer ") for each in given.values()]
    given["admin"] = basic("__token__", secrets[1])
    given["none"] = None
    given["unknown"] = basic("__token__", token_text.write(os.urandom(token_text.RANDOM_BYTES)))
    given["garbage"] = "Bearer nonsense"
    given["user"] = basic("admin", secrets[1])
    given["no-user"] = basic(secrets[1], "")
    return secrets


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def assert_told_nowhere(world: World) -> None:
    """Of no token is there a trace in the log, nor was anything of it sent to the outside world."""
    sent = repr([(request.path, request.headers) for request in world.outside.log])
    for secret in world.secrets:
        for form in (secret.split("_")[2], basic("__token__", secret)[6:]):
            assert form not in world.server.log
            assert form not in sent


def everywhere(world: World) -> list[str]:
    """Every address of ``main``, by its name and, where that is one, by the short form for the main index."""
    short = [path for path in world.paths if path.startswith("/simple")]
    return [f"/main{path}" for path in world.paths] + short


def refusal(reply: Reply) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """All of an answer that could tell something."""
    passing = ("x-request-id", "date", "retry-after")
    kept = {name: value for name, value in reply.headers.items() if name not in passing}
    return reply.status, tuple(sorted(kept.items())), reply.body


@pytest.mark.parametrize("caller", GOOD)
def test_who_may_read_gets_what_an_open_index_shows(world: World, caller: str) -> None:
    codes = set()
    for path in world.paths:
        for method in ("GET", "HEAD"):
            told = world.ask(f"/main{path}", caller, method)
            shown = world.ask(f"/open{path}", "none", method)
            codes.add(told.status)
            assert told.status == shown.status, path
            assert told.headers.get("location", "") == shown.headers.get("location", "").replace(
                "open", "main"
            )
            if told.status == 200 and told.kind != "text/html":
                assert told.body == shown.body, path
            assert_not_shared(told, path)
    assert codes == {200, 301, 302, 403, 404, 405, 406}


def assert_not_shared(reply: Reply, path: str) -> None:
    """No cache between the server and its caller may keep the answer, nor may one keep the credentials by it."""
    control = reply.headers["cache-control"]
    assert control.startswith("private") or control == "no-store", path
    assert "public" not in control
    assert "authorization" not in reply.headers.get("vary", "").lower()


def test_files_are_the_callers_own_for_ever(world: World) -> None:
    path = world.file
    private = "private, max-age=31536000, immutable"
    assert world.ask(f"/main{path}", "reader").headers["cache-control"] == private
    assert world.ask(f"/main{path}", "reader", range="bytes=0-3").headers["cache-control"] == private
    assert world.ask(f"/open{path}", "reader").headers["cache-control"] == private.replace(
        "private", "public"
    )
    assert world.ask("/main/simple/demo/", "reader").headers["cache-control"] == "private, no-cache"
    etag = world.ask("/main/simple/demo/", "reader").headers["etag"]
    known = world.ask("/main/simple/demo/", "reader", if_none_match=etag)
    assert (known.status, known.headers["cache-control"]) == (304, "private, no-cache")


@pytest.mark.parametrize(("callers", "status"), [(("none",), 401), (LAPSED, 401), (NO_SCOPE, 403)])
def test_who_may_not_is_told_the_same_whatever_is_there(
    world: World, callers: tuple[str, ...], status: int
) -> None:
    """No code, redirect, length or word differs between what is there, what is not and what is blocked."""
    for caller in callers:
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
            replies = [world.ask(path, caller, method) for path in everywhere(world)]
            assert {reply.status for reply in replies} == {status}, (caller, method)
            assert len({refusal(reply) for reply in replies}) == 1, (caller, method)
            challenge = replies[0].headers.get("www-authenticate")
            assert challenge == ('Basic realm="wheelkeep"' if status == 401 else None)


@pytest.mark.parametrize("caller", GUESSES)
def test_guesses_get_nothing(world: World, caller: str) -> None:
    replies = {refusal(world.ask(path, caller)) for path in everywhere(world)}
    assert {status for status, _, _ in replies} <= {401, 429}
    assert len(replies) <= 2


def test_what_was_just_served_is_not_served_to_others(world: World) -> None:
    """Byte for byte the same request but for the credentials, and what only asks whether a copy is still good."""
    for path in ("/main/simple/demo/", "/simple/demo/", f"/main{world.file}"):
        for headers in ({}, {"accept": JSON, "accept_encoding": "gzip"}):
            for _ in range(3):
                assert world.ask(path, "reader", **headers).status == 200
            etag = world.ask(path, "reader", **headers).headers["etag"]
            for caller, status in (("none", 401), ("revoked", 401), ("stranger", 403)):
                assert world.ask(path, caller, **headers).status == status
                assert world.ask(path, caller, if_none_match=etag, **headers).status == status
                assert world.ask(path, caller, if_none_match="*", range="bytes=0-0").status == status


def test_a_closed_index_by_another_spelling(world: World) -> None:
    for path in ("/%6dain/simple/demo/", "/main/%73imple/demo/", "/%73imple/demo/", "/main/simple/demo%2F"):
        assert world.ask(path, "none").status == 401, path
    for path in (
        "//main/simple/demo/",
        "/./main/simple/demo/",
        "/open/../main/simple/demo/",
        "/MAIN/simple/demo/",
    ):
        assert world.ask(path, "none").status == 404, path


def kept(world: World) -> list[str]:
    """The addresses of what views and snapshots of an index have; those of two snapshots are made sure of."""
    for index, caller in (("main", "reader"), ("open", "none")):
        for project in ("demo", "placed"):
            assert world.ask(f"/{index}/simple/{project}/", caller).status == 200
        made = world.ask(f"/api/v1/snapshots/kept-{index}?index={index}&replace=true", "admin", "PUT")
        assert made.status == 200, made.body
    return [path for path in world.paths if path.startswith(_OF_THE_PAST)]


_OF_THE_PAST = ("/simple", "/files", "/packages", "/integrity", "/pypi", "/blocked", "/project")


def test_the_past_of_a_closed_index_is_as_closed(world: World) -> None:
    """By a date, by a snapshot and by one that is not there: every caller is told the same everywhere."""
    paths = kept(world)
    expected = {"none": 401, "revoked": 401, "stranger": 403, "approver": 403, "publisher": 403}
    for caller, status in expected.items():
        for method in ("GET", "POST"):
            replies = [
                world.ask(f"/main@{when}{path}", caller, method)
                for when in ("2020-12-31", "kept-main", "nothing")
                for path in paths
            ]
            assert {reply.status for reply in replies} == {status}, (caller, method)
            assert len({refusal(reply) for reply in replies}) == 1, (caller, method)
    hidden = world.ask("/api/v1/snapshots/kept-main", "stranger")
    assert hidden.status == 404
    assert "kept-main" not in world.ask("/api/v1/snapshots", "stranger").text


def test_who_may_read_sees_the_past_as_of_an_open_index(world: World) -> None:
    for main, other in (("main@2020-12-31", "open@2020-12-31"), ("main@kept-main", "open@kept-open")):
        codes = set()
        for path in kept(world):
            told, shown = world.ask(f"/{main}{path}", "reader"), world.ask(f"/{other}{path}", "none")
            codes.add(told.status)
            assert told.status == shown.status, (main, path)
            if told.status == 200 and told.kind != "text/html":
                assert told.body == shown.body, (main, path)
            assert_not_shared(told, path)
        assert {200, 302, 403, 404} <= codes


@pytest.mark.parametrize("index", ["main", "open"])
def test_uploads_need_their_own_scope(world: World, index: str) -> None:
    """Whoever may read may not publish, and the other way round; it matters not whether the index is open."""
    expected = dict.fromkeys(("none", *LAPSED), 401) | dict.fromkeys(
        ("reader", "stranger", "approver", "idle"), 403
    )
    for caller, status in expected.items():
        for path in ("", "/", "/legacy", "/legacy/"):
            assert world.ask(f"/{index}{path}", caller, "POST").status == status, (caller, path)
    for caller in ("publisher", "admin"):
        # Past the door: what was sent is no form.
        assert world.ask(f"/{index}/legacy/", caller, "POST").status == 400, caller


@pytest.mark.parametrize("index", ["main", "open"])
def test_sessions_need_the_scope_of_uploads(world: World, index: str) -> None:
    """Every address of the Upload API 2.0, by every method, tells nothing to those who may not publish."""
    expected = dict.fromkeys(("none", *LAPSED), 401) | dict.fromkeys(
        ("reader", "stranger", "approver", "idle"), 403
    )
    below = ("", "/", "/x", "/x/publish", "/x/files", "/x/wks_x/y", "/x/wks_x/y/bytes", "/x/y/z/complete/")
    for caller, status in expected.items():
        replies = [
            world.ask(f"/{index}/upload/2.0{path}", caller, method)
            for path in below
            for method in ("GET", "POST", "DELETE", "PUT")
        ]
        assert {reply.status for reply in replies} == {status}, caller
        assert len({refusal(reply) for reply in replies}) == 1, caller
    for caller in ("publisher", "admin"):
        codes = [world.ask(f"/{index}/upload/2.0{path}", caller).status for path in below]
        assert codes == [405, 405, 404, 404, 404, 404, 404, 404], caller


def test_what_takes_no_uploads_says_so_to_readers_alone(world: World) -> None:
    # The closed index ``other`` has nowhere to publish to, which is nobody's business either.
    for path in ("", "/", "/legacy/", "/upload/2.0/", "/upload/2.0/x/publish"):
        for caller, scope in (("none", "a token"), ("revoked", "revoked"), ("reader", "read:other")):
            reply = world.ask(f"/other{path}", caller, "POST")
            assert reply.status == (403 if caller == "reader" else 401), (path, caller)
            assert scope in reply.detail and "takes no uploads" not in reply.detail
        assert "takes no uploads" in world.ask(f"/other{path}", "stranger", "POST").detail
    for path in ("/main/simple/demo/", "/simple/demo/", f"/main{world.file}"):
        codes = {caller: world.ask(path, caller, "POST").status for caller in ("none", "publisher", "reader")}
        assert codes == {"none": 401, "publisher": 403, "reader": 405}


@pytest.mark.parametrize(
    ("caller", "named"),
    [
        ("none", ["open"]),
        ("garbage", ["open"]),
        ("revoked", ["open"]),
        ("expired", ["open"]),
        ("publisher", ["open"]),
        ("reader", ["main", "open"]),
        ("stranger", ["other", "open"]),
        ("admin", ["main", "other", "open"]),
    ],
)
def test_the_front_page_names_what_the_caller_may_read(world: World, caller: str, named: list[str]) -> None:
    page = world.ask("/", caller)
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    shown = [name for name in ("main", "other", "open") if f"Index {name}" in page.text]
    assert shown == named
    assert [name for name in ("main", "other") if f"/{name}/" in page.text] == [
        n for n in named if n != "open"
    ]


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/static/wheelkeep.css", "/nothing/", "/api/", "/_/oidc/audience",
     "/.well-known/pytp?discover=/main/legacy/"],
)  # fmt: skip
def test_what_belongs_to_no_index_names_none(world: World, path: str) -> None:
    replies = [world.ask(path, caller) for caller in ("none", "reader", "garbage")]
    assert len({(reply.status, reply.body) for reply in replies}) == 1
    for reply in replies:
        assert b"main" not in reply.body.replace(b"main {", b"").replace(b"main{", b"")
        assert b"other" not in reply.body


@pytest.mark.parametrize(
    "path",
    ["/api/v1/", "/api/v1/nothing", "/api/v1/indexes/main", "/api/v1/tokens", "/api/v1/snapshots/release"],
)
def test_the_management_api_is_told_of_to_no_stranger(world: World, path: str) -> None:
    """All its operations by all kinds of callers: tests/web/api/test_router.py."""
    for caller in ("none", *LAPSED):
        assert world.ask(path, caller).status == 401
    assert world.ask(path, "idle").status == 403


@pytest.mark.parametrize("caller", ["unknown", "garbage", "user", "revoked", "expired", "stranger", "admin"])
def test_an_open_index_takes_no_notice_of_credentials(world: World, caller: str) -> None:
    for path in world.paths:
        told, shown = world.ask(f"/open{path}", caller), world.ask(f"/open{path}", "none")
        assert refusal(told) == refusal(shown), path


def test_the_log_tells_its_entries_only_to_who_may_read_every_index(world: World) -> None:
    for caller in world.given:
        for path in ("/log/checkpoint", "/log/key"):
            assert world.ask(path, caller).status in (200, 503), caller
        told = world.ask("/log/tile/entries/000.p/1", caller).status
        refused = 401 if caller in (*LAPSED, *GUESSES, "none") else 403
        assert told in ((200, 404) if caller == "admin" else (refused, 429)), caller
