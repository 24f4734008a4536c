"""The Upload API 2.0 through a running server: PEP 694 as its round 4 has it, and every refusal."""

import hashlib
import http.client
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes import attesters
from fakes.ask import JSON, Reply, ask
from fakes.command import quickly
from fakes.dists import sdist, wheel
from fakes.server import PATIENCE
from fakes.staging import MEDIA, META, STAGING, Staged, Staging
from fakes.uploads import CONFIG, Publishing

BYTES = "application/octet-stream"
CLOSED = """
[indexes.closed]
sources = ["acme", "other"]
publish = "acme"
read = "token"
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staging]:
    """One server for all tests; each has projects of its own. Two workers: any of them takes any step."""
    folder = tmp_path_factory.mktemp("staging")
    with Staging(folder, STAGING + CLOSED, options=("--workers", "2")) as server:
        yield server
        assert not server.half_done()
        assert not re.search(r"wks_[A-Za-z0-9]", server.log), "a secret is in the log"


@pytest.fixture(scope="module")
def tokens(shared: Staging) -> dict[str, str]:
    scopes = {
        "reader": ["read:main"],
        "of-closed": ["read:closed"],
        "elsewhere": ["publish:other"],
        "narrow": ["publish:acme:acme-narrow"],
        "second": ["publish:acme", "read:main"],
        "admin": ["admin"],
    }
    return shared.make_tokens(scopes) | {"none": "", "unknown": "wk_nonsense", "creator": shared.token}


def files(server: Publishing, project: str, index: str = "main") -> dict[str, dict[str, object]] | None:
    page = server.get(f"/{index}/simple/{project}/", Accept=JSON)
    return {file["filename"]: file for file in page.json["files"]} if page.status == 200 else None


def refused(reply: Reply, status: int, *words: str) -> None:
    """A problem document (RFC 9457) with what the PEP adds."""
    assert (reply.status, reply.kind) == (status, "application/problem+json"), reply.body
    told = reply.json
    assert told["status"] == status and told["type"] and told["title"]
    assert told["meta"] == META
    assert told["errors"] and all(set(error) == {"source", "message"} for error in told["errors"])
    for word in words:
        assert word in told["detail"], told["detail"]


def test_a_session_as_the_pep_has_it(shared: Staging) -> None:
    session = shared.open("Acme.Whole", "v1.0")
    told = session.made.json
    assert session.made.headers["content-type"] == MEDIA
    assert session.made.headers["location"] == session.links["session"]
    assert told["meta"] == META and told["status"] == "open" and told["files"] == {}
    assert told["mechanisms"] == ["http-post-bytes"]
    assert set(session.links) == {"session", "publish", "extend", "upload", "stage"}
    assert session.links["stage"] == f"{shared.url}/main/stage/{session.secret}/simple/"
    assert len(session.secret) > 40 and session.secret not in session.links["session"]
    expires = datetime.strptime(told["expires-at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert 6.9 < (expires - datetime.now(UTC)).total_seconds() / 86400 <= 7
    filename, content = wheel("acme-whole", "1.0")
    announced = session.announce(filename, content)
    assert announced.status == 202 and announced.headers["retry-after"] == "5"
    own = announced.json["links"]["file-upload-session"]
    assert announced.headers["location"] == own and session.secret in own
    assert set(announced.json["links"]) == {"file-upload-session", "complete"}
    assert announced.json["mechanism"]["identifier"] == "http-post-bytes"
    assert (announced.json["status"], announced.json["expires-at"]) == ("pending", told["expires-at"])
    assert session.status()["files"] == {filename: {"status": "pending", "link": own}}
    sent = session.send(announced, content)
    assert (sent.status, sent.body) == (204, b"")
    done = session.complete(announced)
    assert (done.status, done.json["status"]) == (201, "completed")
    assert done.headers["location"] == own
    asked = session.call("GET", own)
    assert (asked.status, asked.json["status"]) == (200, "completed") and asked.headers["retry-after"]
    assert session.complete(announced).status == 201
    assert files(shared, "acme-whole") == {}
    published = session.publish()
    assert (published.status, published.json["status"]) == (201, "published")
    assert published.headers["location"] == session.links["session"]
    assert set(files(shared, "acme-whole") or {}) == {filename}
    assert session.status()["files"] == {filename: {"status": "completed", "link": own}}
    for reply in (session.made, announced, asked, published):
        assert reply.headers["cache-control"] == "no-store"


def test_every_file_of_a_release_at_once(shared: Staging) -> None:
    """Sent by four hands over two workers; the sdist and all wheels are there from one answer to the next."""
    session = shared.open("acme-many")
    made = [wheel("acme-many", "1.0", tag=f"cp3{minor}-abi3-any") for minor in range(4, 12)]
    made.append(sdist("acme-many", "1.0"))
    with ThreadPoolExecutor(4) as hands:
        list(hands.map(lambda one: session.add(*one), made))
    assert files(shared, "acme-many") == {}
    assert session.publish().status == 201
    for _ in range(4):
        assert set(files(shared, "acme-many") or {}) == {filename for filename, _ in made}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"{", 400),
        ({"version": "1.0"}, 400),
        ({"name": "acme-bad", "version": "x"}, 400),
        ({"name": "-", "version": "1.0"}, 400),
        ({"meta": {"api-version": "3.0"}, "name": "acme-bad", "version": "1.0"}, 400),
        ({"name": "other-thing", "version": "1.0"}, 403),
        ({"name": "unwanted", "version": "1.0"}, 403),
        (b"{" + b" " * 200_000 + b"}", 413),
    ],
)
def test_sessions_that_are_not_made(shared: Staging, told: dict[str, object] | bytes, status: int) -> None:
    refused(shared.call("POST", shared.root, told), status)


def test_forms_and_methods(shared: Staging) -> None:
    told = {"name": "acme-forms", "version": "1.0"}
    for kind in ("application/json", "application/vnd.pypi.upload.v3+json", "text/plain", ""):
        refused(shared.call("POST", shared.root, told, kind=kind), 415, MEDIA)
    refused(shared.call("POST", shared.root, told, Accept="application/vnd.pypi.simple.v1+json"), 406, MEDIA)
    assert shared.call("GET", shared.root).headers["allow"] == "POST"
    made = shared.call(
        "POST", shared.root[:-1], told, kind=f"{MEDIA}; charset=utf-8", Accept=f"{MEDIA}, */*;q=0.1"
    )
    assert made.status == 201
    session = Staged(shared, made, None)
    filename, content = wheel("acme-forms", "1.0")
    announced = session.announce(filename, content)
    refused(session.call("POST", announced.json["mechanism"]["file_url"], content), 415, BYTES)
    for method, url in (
        ("GET", session.links["publish"]),
        ("PUT", session.links["session"]),
        ("GET", session.links["upload"]),
        ("GET", announced.json["mechanism"]["file_url"]),
        ("POST", announced.json["links"]["file-upload-session"]),
        ("GET", announced.json["links"]["complete"]),
    ):
        refused(session.call(method, url), 405)
    for url in (
        f"{shared.root}nothing",
        f"{shared.root}nothing/publish",
        f"{session.links['session']}/nothing",
        f"{session.links['session']}/{session.secret}/nothing",
        f"{session.links['session']}/{session.secret}/nothing/complete",
        announced.json["links"]["file-upload-session"].replace(session.secret, f"{session.secret[:-1]}_"),
        f"{announced.json['links']['file-upload-session']}/nothing",
        session.links["session"].replace("/main/", "/closed/"),
    ):
        refused(session.call("GET", url), 404)
    assert session.call("HEAD", session.links["session"]).status == 200
    for link in ("publish", "upload", "extend"):
        refused(session.call("POST", session.links[link], b"[]"), 400)


def test_one_session_for_a_release_at_a_time(shared: Staging, tokens: dict[str, str]) -> None:
    session = shared.open("acme-one")
    for name in ("acme-one", "Acme_One"):
        second = shared.call("POST", shared.root, {"name": name, "version": "1.0.0"[:3]})
        refused(second, 409, "open already")
        assert second.headers["location"] == session.links["session"]
    other = shared.open("acme-one", "2.0")
    assert other.cancel().status == 204
    refused(
        shared.call("POST", shared.root, {"name": "acme-one", "version": "1.0"}, token=tokens["narrow"]), 403
    )
    assert session.cancel().status == 204
    again = shared.open("acme-one")
    assert again.secret != session.secret and again.links["session"] != session.links["session"]


def test_of_many_who_open_one_at_once_one_does(shared: Staging) -> None:
    told = {"name": "acme-rush", "version": "1.0"}
    with ThreadPoolExecutor(8) as hands:
        replies = list(hands.map(lambda _: shared.call("POST", shared.root, told), range(8)))
    (made,) = [reply for reply in replies if reply.status == 201]
    assert {reply.status for reply in replies} == {201, 409}
    assert {reply.headers["location"] for reply in replies} == {made.headers["location"]}


@pytest.mark.parametrize(
    ("other", "status", "about"),
    [
        ({"filename": "acme_files-2.0-py3-none-any.whl"}, 400, "filename"),
        ({"filename": "acme_other-1.0-py3-none-any.whl"}, 400, "filename"),
        ({"filename": "acme_files-1.0.zip"}, 400, "filename"),
        ({"size": -1}, 400, "size"),
        ({"size": 10**12}, 409, "size"),
        ({"hashes": {"md5": "0" * 32}}, 400, "hashes"),
        ({"mechanism": "vnd-acme-postal"}, 422, "mechanism"),
    ],
)
def test_files_that_are_not_taken(shared: Staging, other: dict[str, object], status: int, about: str) -> None:
    session = shared.open("acme-files")
    try:
        reply = session.announce(*wheel("acme-files", "1.0"), other)
        refused(reply, status)
        assert [error["source"] for error in reply.json["errors"]] == [about]
        assert session.status()["files"] == {}
    finally:
        session.cancel()


def test_bytes_that_are_not_those_that_were_announced(shared: Staging) -> None:
    """None of them is kept, and the right ones can still come."""
    session = shared.open("acme-bytes")
    filename, content = wheel("acme-bytes", "1.0")
    announced = session.announce(filename, content, {"hashes": hashes(content, "sha512", "blake2b", "md5")})
    for wrong, words in (
        (content[:-1], f"{len(content) - 1} bytes came"),
        (content + b"x", "more than"),
        (b"", "0 bytes came"),
        (content[:-1] + b"x", "was announced: send the file again"),
    ):
        refused(session.send(announced, wrong), 400, words)
        assert session.status()["files"][filename]["status"] == "pending"
    assert session.send(announced, content).status == 204
    assert session.send(announced, content).status == 204
    assert session.complete(announced).status == 201
    refused(session.send(announced, content), 409, "completed")
    assert len([path for path in shared.staged_bytes() if path.read_bytes() == content]) == 1
    session.cancel()


def hashes(content: bytes, *names: str) -> dict[str, str]:
    return {name: hashlib.new(name, content).hexdigest() for name in names}


def test_a_file_that_fails_is_deleted_and_comes_anew(shared: Staging) -> None:
    session = shared.open("acme-fails")
    filename, content = wheel("acme-fails", "1.0")
    for bad in (b"no zip", wheel("acme-fails", "1.1")[1]):
        announced = session.announce(filename, bad)
        assert session.send(announced, bad).status == 204
        reply = session.complete(announced)
        refused(reply, 400, filename)
        own = session.call("GET", announced.json["links"]["file-upload-session"]).json
        assert own["status"] == "error" and own["notices"] == reply.json["detail"].split("\n")
        shown = session.status()["files"][filename]
        assert shown["status"] == "error" and shown["notices"]
        refused(session.complete(announced), 409)
        refused(session.send(announced, content), 409)
        refused(session.announce(filename, content), 409, "delete it first")
        refused(session.publish(), 409, f"{filename} is error")
        assert session.call("DELETE", shown["link"]).status == 204
        assert session.call("GET", shown["link"]).json["status"] == "canceled"
        assert session.call("DELETE", shown["link"]).status == 204
        assert session.status()["files"] == {}
    # Completed without a byte: that fails too.
    announced = session.announce(filename, content)
    refused(session.complete(announced), 400, "none of its bytes came")
    assert session.call("DELETE", announced.json["links"]["file-upload-session"]).status == 204
    session.add(filename, content)
    assert session.publish().status == 201


def test_files_are_replaced_but_not_while_they_come(shared: Staging) -> None:
    session = shared.open("acme-again")
    filename, content = wheel("acme-again", "1.0")
    first = session.announce(filename, content)
    refused(session.announce(filename, content), 409, "pending")
    refused(session.announce("Acme_Again-1.0-py3-none-any.whl", content), 409, "pending")
    assert session.send(first, content).status == 204
    assert session.complete(first).status == 201
    _, better = wheel("acme-again", "1.0", files={"better.py": b""})
    session.add(filename, better)
    assert session.call("GET", first.json["links"]["file-upload-session"]).json["status"] == "canceled"
    assert session.publish().status == 201
    shown = files(shared, "acme-again") or {}
    assert shown[filename]["hashes"] == {"sha256": hashlib.sha256(better).hexdigest()}
    assert hashlib.sha256(content).hexdigest() not in shared.blobs()


def test_nothing_is_published_before_all_have_come(shared: Staging) -> None:
    session = shared.open("acme-waits")
    session.add(*sdist("acme-waits", "1.0"))
    filename, content = wheel("acme-waits", "1.0")
    announced = session.announce(filename, content)
    refused(session.publish(), 409, f"{filename} is pending")
    session.send(announced, content)
    refused(session.publish(), 409, f"{filename} is pending")
    assert files(shared, "acme-waits") == {} and session.status()["status"] == "open"
    session.complete(announced)
    assert session.publish().status == 201
    assert len(files(shared, "acme-waits") or {}) == 2


def test_a_canceled_session_leaves_nothing(shared: Staging) -> None:
    session = shared.open("acme-gone")
    filename, content = wheel("acme-gone", "1.0")
    session.add(filename, content)
    pending = session.announce(*sdist("acme-gone", "1.0"))
    link = session.status()["files"][filename]["link"]
    assert session.cancel().status == 204
    told = session.status()
    assert (told["status"], told["files"]) == ("canceled", {})
    assert session.call("GET", link).json["status"] == "canceled"
    assert ask(session.links["stage"]).status == 404
    refused(session.publish(), 409, "canceled")
    refused(session.announce(filename, content), 409)
    refused(session.send(pending, sdist("acme-gone", "1.0")[1]), 409)
    refused(session.call("POST", session.links["extend"], {"extend-for": 60}), 409)
    assert session.cancel().status == 204
    sha256 = hashlib.sha256(content).hexdigest()
    assert sha256 not in shared.blobs()
    assert content not in [path.read_bytes() for path in shared.staged_bytes()]
    assert files(shared, "acme-gone") == {}
    assert shared.get(f"/main/files/acme-gone/{sha256}/{filename}").status == 404


def test_a_published_session_is_over(shared: Staging) -> None:
    session = shared.open("acme-over")
    session.add(*wheel("acme-over", "1.0"))
    assert session.publish().status == 201
    for reply in (session.publish(), session.cancel(), session.announce(*sdist("acme-over", "1.0"))):
        refused(reply, 409, "published")
    assert ask(session.links["stage"]).status == 404
    # More files for the same release come in another session; what is published is not announced again.
    more = shared.open("acme-over")
    refused(more.announce(*wheel("acme-over", "1.0")), 409, "File already exists")
    refused(more.announce("Acme.Over-1.0-py3-none-any.whl", b"x"), 409, "File already exists")
    more.add(*sdist("acme-over", "1.0"))
    assert more.publish().status == 201
    assert len(files(shared, "acme-over") or {}) == 2


def test_a_name_that_was_taken_meanwhile(shared: Staging) -> None:
    """By the older API; nothing of the session is published, and it can be mended."""
    session = shared.open("acme-meanwhile")
    filename, content = wheel("acme-meanwhile", "1.0")
    session.add(filename, content)
    session.add(*sdist("acme-meanwhile", "1.0"))
    _, other = wheel("acme-meanwhile", "1.0", files={"other.py": b""})
    assert shared.publish("acme-meanwhile", "1.0", filename, other).status == 200
    reply = session.publish()
    refused(reply, 409, "File already exists")
    assert [error["source"] for error in reply.json["errors"]] == [filename]
    told = session.status()
    assert told["status"] == "open" and set(files(shared, "acme-meanwhile") or {}) == {filename}
    assert session.call("DELETE", told["files"][filename]["link"]).status == 204
    assert session.publish().status == 201
    shown = files(shared, "acme-meanwhile") or {}
    assert len(shown) == 2
    assert shown[filename]["hashes"] == {"sha256": hashlib.sha256(other).hexdigest()}


def test_a_project_that_takes_no_uploads(shared: Staging) -> None:
    session = shared.open("acme-archived")
    session.add(*wheel("acme-archived", "1.0"))
    assert shared.publish("acme-archived", "0.9", *wheel("acme-archived", "0.9")).status == 200
    wheelkeep(shared, "project-status", "acme-archived", "archived", "--source", "acme", "--reason", "done")
    refused(session.publish(), 403, "acme-archived is archived")
    refused(shared.call("POST", shared.root, {"name": "acme-archived", "version": "2.0"}), 403)
    assert session.status()["status"] == "open"
    assert set(files(shared, "acme-archived") or {}) == {"acme_archived-0.9-py3-none-any.whl"}
    session.cancel()


def wheelkeep(server: Staging, *words: str) -> None:
    done = quickly(*words, cwd=server.folder)
    assert done.code == 0, done.err


def test_an_empty_session_registers_the_name(shared: Staging) -> None:
    assert files(shared, "claimed") is None
    session = shared.open("claimed", "0.0.0a0")
    assert files(shared, "claimed") is None
    assert session.publish().status == 201
    assert files(shared, "claimed") == {}
    wheelkeep(shared, "free", "claimed", "--source", "acme")
    assert files(shared, "claimed") is None


def test_a_session_can_live_longer_but_not_for_ever(shared: Staging) -> None:
    session = shared.open("acme-longer")
    before = session.made.json["expires-at"]
    more = session.call("POST", session.links["extend"], {"extend-for": 86400})
    assert more.status == 200 and more.json["expires-at"] > before
    most = session.call("POST", session.links["extend"], {"extend-for": 10**9}).json["expires-at"]
    again = session.call("POST", session.links["extend"], {"extend-for": 10**9})
    assert (again.status, again.json["expires-at"]) == (200, most)
    assert session.status()["expires-at"] == most
    refused(session.call("POST", session.links["extend"], {"extend-for": "long"}), 400)


def test_attestations_come_along(shared: Staging) -> None:
    session = shared.open("acme-proven")
    filename, content = wheel("acme-proven", "1.0")
    for given, status in (
        (attested(filename, b"other"), 400),
        (b"[]", 400),
        (attested(filename, content), 201),
    ):
        announced = session.announce(filename, content)
        url = announced.json["mechanism"]["attestations_url"]
        refused(session.call("POST", url, given, kind=BYTES), 415)
        assert session.call("POST", url, given, kind="application/json").status == 204
        assert session.send(announced, content).status == 204
        done = session.complete(announced)
        assert done.status == status, done.body
        if status != 201:
            session.call("DELETE", announced.json["links"]["file-upload-session"])
    (shown,) = ask(f"{session.links['stage']}acme-proven/", Accept=JSON).json["files"]
    path = f"integrity/acme-proven/1.0/{filename}/provenance"
    staged = ask(session.links["stage"].replace("simple/", path))
    assert staged.status == 200 and shown["provenance"].endswith(path)
    assert shared.get(f"/main/{path}").status == 404
    assert session.publish().status == 201
    assert shared.get(f"/main/{path}").json == staged.json


def attested(filename: str, content: bytes) -> bytes:
    return json.dumps(
        [attesters.authority().attestation(filename, hashlib.sha256(content).hexdigest())]
    ).encode()


def addresses(session: Staged, announced: Reply) -> list[tuple[str, str, dict[str, object]]]:
    """Every address of a session with a file, as it is used."""
    own = announced.json["links"]["file-upload-session"]
    return [
        ("GET", session.links["session"], {}),
        ("POST", session.links["upload"], {"filename": "x"}),
        ("POST", session.links["publish"], {}),
        ("POST", session.links["extend"], {"extend-for": 1}),
        ("GET", own, {}),
        ("POST", announced.json["mechanism"]["file_url"], {}),
        ("POST", announced.json["mechanism"]["attestations_url"], {}),
        ("POST", f"{own}/complete", {}),
        ("DELETE", own, {}),
        ("DELETE", session.links["session"], {}),
    ]


@pytest.mark.parametrize(
    ("caller", "status", "opens"),
    [
        ("none", 401, 401),
        ("unknown", 401, 401),
        ("reader", 403, 403),
        ("of-closed", 403, 403),
        ("elsewhere", 403, 403),
        ("narrow", 403, 403),
        ("second", 403, 409),
    ],
)
def test_nobody_else_may_use_a_session(
    shared: Staging, tokens: dict[str, str], caller: str, status: int, opens: int
) -> None:
    """Not even who may publish the project: a session is its token's own, and an admin's."""
    session = shared.open("acme-mine", "1.0")
    try:
        announced = session.announce(*wheel("acme-mine", "1.0"))
        for method, url, told in addresses(session, announced):
            reply = shared.call(method, url, told if method == "POST" else None, token=tokens[caller])
            refused(reply, status)
        reply = shared.call(
            "POST", shared.root, {"name": "acme-mine", "version": "1.0"}, token=tokens[caller]
        )
        refused(reply, opens)
        assert ("location" in reply.headers) == (opens == 409)
        told = session.status()
        assert told["status"] == "open" and len(told["files"]) == 1
    finally:
        assert shared.call("DELETE", session.links["session"], token=tokens["admin"]).status == 204


def test_an_admin_and_a_narrow_token(shared: Staging, tokens: dict[str, str]) -> None:
    session = shared.open("acme-narrow", token=tokens["narrow"])
    session.add(*wheel("acme-narrow", "1.0"))
    assert shared.call("GET", session.links["session"], token=tokens["admin"]).status == 200
    refused(shared.call("GET", session.links["session"]), 403, "the token that made it")
    assert shared.call("POST", session.links["publish"], {}, token=tokens["admin"]).status == 201
    assert len(files(shared, "acme-narrow") or {}) == 1


def test_a_token_that_is_revoked_ends_nothing_but_its_use(shared: Staging, tokens: dict[str, str]) -> None:
    token = shared.make_tokens({"lapsing": ["publish:acme:acme-lapse"]})["lapsing"]
    session = shared.open("acme-lapse", token=token)
    wheelkeep(shared, "token", "revoke", "lapsing")
    until = time.monotonic() + PATIENCE
    while (reply := session.publish()).status != 401 and time.monotonic() < until:
        pass
    refused(reply, 401, "revoked")
    assert shared.call("DELETE", session.links["session"], token=tokens["admin"]).status in (204, 409)


def test_indexes_that_take_no_uploads(shared: Staging) -> None:
    refused(shared.call("POST", f"{shared.url}/silent/upload/2.0/", {"name": "acme-x", "version": "1"}), 403)
    refused(shared.call("POST", f"{shared.url}/silent/upload/2.0/", {}, token=""), 403)
    assert shared.call("POST", f"{shared.url}/simple/upload/2.0/", {}).status in (404, 405)
    assert shared.call("POST", f"{shared.url}/nothing/upload/2.0/", {}).status in (404, 405)


def test_without_the_experiment_nothing_is_there(tmp_path: Path) -> None:
    with Publishing(tmp_path, CONFIG) as server:
        for path in ("upload/2.0/", "upload/2.0", "upload/2.0/x", "upload/2.0/x/publish", "stage/x/simple/"):
            for method in ("GET", "POST", "DELETE"):
                if path.startswith("upload") or method == "GET":
                    reply = ask(f"{server.url}/main/{path}", method, body=b"{}", Content_Type=MEDIA)
                    assert reply.status == 404, (method, path)


@pytest.mark.parametrize(
    ("host", "origin"),
    [("keep.example:8443", "http://keep.example:8443/"), ("[::1]:80", "http://[::1]:80/"), ("a/b", None)],
)
def test_absolute_addresses_begin_where_the_client_asked(
    shared: Staging, host: str, origin: str | None
) -> None:
    session = shared.open("acme-hosts")
    connection = http.client.HTTPConnection(shared.url.removeprefix("http://"), timeout=30)
    connection.request(
        "GET",
        session.links["session"].removeprefix(shared.url),
        headers={"Host": host, "Authorization": f"Bearer {shared.token}"},
    )
    told = connection.getresponse().read()
    connection.close()
    session.cancel()
    # What is no host is not repeated (RFC 9110 7.2).
    if told.startswith(b'{"meta"'):
        assert json.loads(told)["links"]["publish"].startswith(origin or f"{shared.url}/")
    else:
        assert origin is None
