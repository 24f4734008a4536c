"""Uploads through a running server: what is published is there for everybody, and nothing else is."""

import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from fakes import attesters
from fakes.asgi import Inside, Message, sending
from fakes.ask import JSON, Reply, ask
from fakes.dists import sdist, wheel
from fakes.server import PATIENCE
from fakes.uploads import BOUNDARY, CONFIG, END, KIND, Publishing, basic, fields, form, part
from wheelkeep.core import token_text
from wheelkeep.core.access import read_scope
from wheelkeep.store.blobs import Filling


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishing]:
    """One server for all tests; each publishes projects of its own."""
    with Publishing(tmp_path_factory.mktemp("keep")) as server:
        yield server
        assert not server.half_done()


def files(server: Publishing, project: str) -> dict[str, dict[str, object]]:
    page = server.get(f"/main/simple/{project}/", Accept=JSON)
    return {file["filename"]: file for file in page.json["files"]} if page.status == 200 else {}


def test_a_published_file_is_on_the_page_with_all_that_it_says(shared: Publishing) -> None:
    assert shared.get("/main/simple/acme-first/", Accept=JSON).json["files"] == []
    filename, content = wheel("acme-first", "1.0", requires_python=">=3.8,<4")
    reply = shared.publish("Acme.First", "1.0", filename, content, requires_python=">=2.0")
    sha256 = hashlib.sha256(content).hexdigest()
    assert (reply.status, reply.text) == (200, f"{filename} is published; sha256 {sha256}\n")
    shown = files(shared, "acme-first")[filename]
    assert shown["hashes"] == {"sha256": sha256}
    assert shown["size"] == len(content)
    # The archive says it, not the form.
    assert shown["requires-python"] == ">=3.8,<4"
    written = time.strptime(str(shown["upload-time"])[:19], "%Y-%m-%dT%H:%M:%S")
    assert abs(time.mktime(written) - time.mktime(time.gmtime())) < 3600
    assert str(shown["upload-time"]).endswith("Z")
    got = shared.get(f"/main/files/acme-first/{sha256}/{filename}")
    assert (got.status, got.body) == (200, content)
    metadata = shared.get(f"/main/files/acme-first/{sha256}/{filename}.metadata")
    assert metadata.text.startswith("Metadata-Version: 2.1\nName: acme-first\n")
    told = shown["core-metadata"]
    assert told == {"sha256": hashlib.sha256(metadata.body).hexdigest()}
    assert "acme-first" in shared.get("/main/simple/").text
    info = shared.get("/main/pypi/acme-first/json").json["info"]
    assert (info["version"], info["summary"]) == ("1.0", "The project acme-first")
    assert info["requires_python"] == ">=3.8,<4"


def test_both_addresses_with_and_without_a_slash(shared: Publishing) -> None:
    for number, path in enumerate(("/main/legacy/", "/main/legacy", "/main/", "/main")):
        made = wheel("acme-paths", f"{number}.0")
        assert shared.publish("acme-paths", f"{number}.0", *made, path=path).status == 200
    assert len(files(shared, "acme-paths")) == 4
    made = wheel("acme-paths", "9.0")
    for path in ("/main/simple/", "/main/simple/acme-paths/", "/simple/", "/main/legacy/more/", "/"):
        reply = shared.publish("acme-paths", "9.0", *made, path=path)
        # Uploaders show it to whoever took the address of pages for that of uploads.
        where = "/{index}/legacy/" if path == "/" else "/main/legacy/"
        assert (reply.status, reply.detail) == (405, f"POST is not answered here: uploads go to {where}")
    reply = shared.publish("acme-paths", "9.0", *made, path="/nobody/legacy/")
    assert (reply.status, reply.detail[-16:]) == (404, "/{index}/legacy/")
    for method in ("GET", "HEAD", "PUT"):
        reply = shared.get("/main/legacy/", method)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/main/simple/", 405), ("POST", "/nobody/legacy/", 404), ("PUT", "/main/legacy/", 405)],
)
def test_who_sends_much_to_a_wrong_address_hears_so(
    shared: Publishing, method: str, path: str, status: int
) -> None:
    """Uploaders read the answer once all is sent: a connection that is cut under them tells them nothing."""
    body = bytes(30_000_000)
    assert ask(shared.url + path, method, body=body, Content_Type=KIND).status == status


def test_the_same_again_is_well_and_other_bytes_are_not(shared: Publishing) -> None:
    filename, content = wheel("acme-again", "1.0")
    assert shared.publish("acme-again", "1.0", filename, content).status == 200
    before = files(shared, "acme-again")
    again = shared.publish("acme-again", "1.0", filename, content)
    assert again.status == 200 and "was here before with the same bytes" in again.text
    _, other = wheel("acme-again", "1.0", files={"other.py": b""})
    for more in ({}, {"sha256_digest": None, "md5_digest": hashlib.md5(other).hexdigest()}):
        refused = shared.publish("acme-again", "1.0", filename, other, **more)
        assert refused.status == 400 and refused.detail.startswith("File already exists")
    spelt = shared.publish("acme-again", "1.0", "Acme.Again-1.0-py3-none-any.whl", other)
    assert spelt.status == 400 and spelt.detail.startswith(f"File already exists: {filename} is here")
    assert files(shared, "acme-again") == before
    assert shared.get(f"/main/files/acme-again/-/{filename}").body == content


def test_an_sdist(shared: Publishing) -> None:
    filename, content = sdist("acme-source", "1.0", requires_python=">=3.9")
    assert shared.publish("acme-source", "1.0", filename, content).status == 200
    shown = files(shared, "acme-source")[filename]
    assert shown["requires-python"] == ">=3.9"
    assert not shown.get("core-metadata")


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_kept(shared: Publishing) -> None:
    filename, content = wheel("acme-wrong", "1.0")
    before = set(shared.blobs())
    more = {"protocol_version": "2", "metadata_version": "", "sha256_digest": "ab" * 32}
    reply = shared.publish("acme-wrong", "2.0", filename, content, **more)
    assert reply.status == 400
    told = reply.detail.splitlines()
    assert [line.split(" ")[0] for line in told[:4]] == [
        "protocol_version",
        "metadata_version",
        filename,
        "sha256_digest",
    ]
    assert "its folder 'acme_wrong-1.0.dist-info' is not that of acme-wrong 2.0" in told[-1]
    assert files(shared, "acme-wrong") == {}
    assert set(shared.blobs()) == before
    assert not shared.half_done()


def test_form_and_archive_must_agree(shared: Publishing) -> None:
    _, other = wheel("acme-other", "1.0")
    reply = shared.publish("acme-agrees", "1.0", "acme_agrees-1.0-py3-none-any.whl", other)
    assert reply.status == 400 and "its folder 'acme_other-1.0.dist-info'" in reply.detail
    reply = shared.publish("acme-agrees", "1.0", "acme_agrees-1.0.tar.gz", sdist("acme-other", "1.0")[1])
    assert reply.status == 400 and "its top folder 'acme_other-1.0'" in reply.detail
    reply = shared.publish("acme-agrees", "1.0", "acme_agrees-1.0-py3-none-any.whl", b"no zip at all")
    assert reply.status == 400 and "it is no zip file" in reply.detail
    assert files(shared, "acme-agrees") == {}


def test_who_may_publish_what(shared: Publishing) -> None:
    made = wheel("acme-mine", "1.0")

    def told(**how: str) -> tuple[int, str]:
        reply = shared.publish("acme-mine", "1.0", *made, **how)
        return reply.status, reply.detail

    assert told(token="")[0] == told(token="wk_wrong")[0] == 401
    for scope in ("read:main", "publish:other", "approve"):
        status, detail = told(token=shared.make_token(scope))
        assert (status, detail) == (403, "this needs a token with the scope publish:acme")
    narrow = shared.make_token("publish:acme:acme-m*")
    status, detail = told(token=shared.make_token("publish:acme:acme-x*"))
    assert (status, detail) == (403, "this needs a token with the scope publish:acme:acme-mine")
    assert told(path="/silent/legacy/") == (
        403,
        "the index silent takes no uploads: its configuration names no source to publish to",
    )
    assert files(shared, "acme-mine") == {}
    assert shared.publish("acme-mine", "1.0", *made, token=narrow).status == 200
    admin = shared.make_token("admin")
    assert shared.publish("anything", "1.0", *wheel("anything", "1.0"), token=admin).status == 200


def test_names_that_belong_elsewhere(shared: Publishing) -> None:
    reply = shared.publish("Other.Lib", "1.0", *wheel("other-lib", "1.0"))
    assert (reply.status, reply.detail) == (403, "the name other-lib is reserved for the source other")
    reply = shared.publish("unwanted", "1.0", *wheel("unwanted", "1.0"))
    assert reply.status == 403 and "may not offer unwanted" in reply.detail
    reply = shared.publish("acme-lib", "6.6.6", *wheel("acme-lib", "6.6.6"))
    assert reply.status == 403 and "may not offer acme-lib 6.6.6" in reply.detail
    assert files(shared, "acme-lib") == {}


def test_fields_in_any_order_and_the_scope_is_held_all_the_same(shared: Publishing) -> None:
    filename, content = wheel("acme-order", "1.0")
    told = fields("acme-order", "1.0", filename, content, md5_digest=hashlib.md5(content).hexdigest())
    file = part("content", content, f'; filename="{filename}"')
    body = file + b"".join(part(*field) for field in told) + END
    narrow = shared.make_token("publish:acme:acme-z*")
    assert shared.send(body, token=narrow).status == 403
    assert files(shared, "acme-order") == {}
    assert shared.send(body).status == 200
    assert list(files(shared, "acme-order")) == [filename]


def test_forms_that_cannot_be_read(shared: Publishing) -> None:
    filename, content = wheel("acme-form", "1.0")
    told = fields("acme-form", "1.0", filename, content)
    head = b"".join(part(*field) for field in told)
    file = part("content", content, f'; filename="{filename}"')
    cases = {
        b"": "the form cannot be read",
        b"no form": "the form cannot be read",
        head + file: "the form cannot be read",
        head + END: "content is missing",
        END: "name is missing",
        head + part("content", content) + END: "content has no file name",
        head + part("content", content, f'; filename="a"; filename="{filename}"') + END: "has no file name",
        head + part("content", content, f'; filename="..\\{filename}"') + END: "has no file name",
        head + part("content", content, f"; filename*=utf-8''{filename}") + END: "has no file name",
        head + file + file + END: "content is given twice",
        head + part("name", "acme-other") + file + END: "name is given 2 times",
        head + part("version", b"\xff") + file + END: "the field version is not UTF-8",
    }
    for body, says in cases.items():
        reply = shared.send(body)
        assert reply.status == 400 and says in reply.detail, (says, reply.detail)
    assert files(shared, "acme-form") == {}


def test_what_is_too_large(shared: Publishing) -> None:
    filename, content = wheel("acme-large", "1.0")
    for field, size in (("summary", 1_000_001), ("description", 10_000_001), ("pyversion", 1_000_001)):
        reply = shared.publish("acme-large", "1.0", filename, content, **{field: "x" * size})
        assert reply.status == 413 and f"the field '{field}' is larger than" in reply.detail
    head = b"".join(part(f"field{number}", "") for number in range(10_001))
    assert shared.send(head + END).status == 413
    many = b"".join(part("classifiers", "x" * 900_000) for _ in range(36))
    reply = shared.send(many + END)
    assert reply.status == 413 and "together" in reply.detail
    assert files(shared, "acme-large") == {}
    many = b"".join(part("requires_dist", f"project{number}") for number in range(5000))
    told = fields("acme-large", "1.0", filename, content, description="x" * 9_000_000)
    assert shared.send(many + form(told, filename, content)).status == 200


def test_who_is_refused_early_sees_the_answer_though_it_sends_everything(shared: Publishing) -> None:
    content = b"x" * 30_000_000
    for name, token, status in (("acme-big", "wk_wrong", 401), ("other-big", None, 403)):
        filename = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        reply = shared.publish(name, "1.0", filename, content, token=token)
        assert reply.status == status


def wire(server: Publishing) -> socket.socket:
    split = urlsplit(server.url)
    return socket.create_connection((split.hostname, split.port), timeout=PATIENCE)


def head_of(token: str, *more: str) -> bytes:
    lines = [
        "POST /main/legacy/ HTTP/1.1",
        "Host: keep",
        f"Content-Type: {KIND}",
        f"Authorization: {basic(token)}",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_client_that_waits_for_leave_to_send(shared: Publishing) -> None:
    filename, content = wheel("acme-waits", "1.0")
    body = form(fields("acme-waits", "1.0", filename, content), filename, content)
    expect = ("Expect: 100-continue", f"Content-Length: {len(body)}")
    with wire(shared) as refused:
        refused.sendall(head_of("wk_wrong", *expect))
        assert refused.recv(65536).startswith(b"HTTP/1.1 401 ")
    with wire(shared) as let_in:
        let_in.sendall(head_of(shared.token, *expect))
        assert let_in.recv(65536).startswith(b"HTTP/1.1 100 ")
        let_in.sendall(body)
        assert let_in.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert filename in files(shared, "acme-waits")


def test_a_body_whose_length_nobody_told(shared: Publishing) -> None:
    filename, content = wheel("acme-chunks", "1.0")
    body = form(fields("acme-chunks", "1.0", filename, content), filename, content)
    with wire(shared) as client:
        client.sendall(head_of(shared.token, "Transfer-Encoding: chunked"))
        for at in range(0, len(body), 37):
            piece = body[at : at + 37]
            client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        client.sendall(b"0\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert filename in files(shared, "acme-chunks")


def test_a_client_that_breaks_off_leaves_nothing(shared: Publishing) -> None:
    filename, content = wheel("acme-breaks", "1.0", files={"data": b"1" * 300_000})
    body = form(fields("acme-breaks", "1.0", filename, content), filename, content)
    before = set(shared.blobs())
    for at in (10, 400, len(body) // 2, len(body) - len(END), len(body) - 3):
        with wire(shared) as client:
            client.sendall(head_of(shared.token, f"Content-Length: {len(body)}") + body[:at])
    until = time.monotonic() + PATIENCE
    while shared.half_done() and time.monotonic() < until:
        time.sleep(0.05)
    assert not shared.half_done()
    assert set(shared.blobs()) == before
    assert files(shared, "acme-breaks") == {}
    assert shared.publish("acme-breaks", "1.0", filename, content).status == 200


def test_of_many_at_once_exactly_one_wins(shared: Publishing) -> None:
    filename, _ = wheel("acme-race", "1.0")
    bodies = [wheel("acme-race", "1.0", files={"a.py": b"%d" % number})[1] for number in range(8)]

    def publish(content: bytes) -> Reply:
        return shared.publish("acme-race", "1.0", filename, content)

    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(publish, bodies))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 7
    (winner,) = [content for content, reply in zip(bodies, replies, strict=True) if reply.status == 200]
    assert shared.get(f"/main/files/acme-race/-/{filename}").body == winner
    with ThreadPoolExecutor(8) as threads:
        assert [reply.status for reply in threads.map(publish, [winner] * 8)] == [200] * 8


def test_every_worker_and_every_restart_shows_what_any_worker_took(tmp_path: Path) -> None:
    with Publishing(tmp_path / "keep", options=("--workers", "2")) as server:
        for number in range(6):
            assert all(len(files(server, "acme-shown")) == number for _ in range(12))
            made = wheel("acme-shown", f"{number}.0")
            assert server.publish("acme-shown", f"{number}.0", *made).status == 200
        server.restart()
        assert len(files(server, "acme-shown")) == 6
        assert server.publish("acme-shown", "0.0", *made[:1], wheel("acme-shown", "0.0")[1]).status == 400
        again = wheel("acme-shown", "0.0")
        assert "was here before" in server.publish("acme-shown", "0.0", *again).text


def test_the_boundary_is_the_clients_choice(shared: Publishing) -> None:
    """Whatever stands in the file: only the whole delimiter ends it."""
    near = f"\r\n--{BOUNDARY[:-1]}\r\n--\r\n\r\n".encode() * 50
    filename, content = wheel("acme-boundary", "1.0", files={"data": near})
    with_it = form(fields("acme-boundary", "1.0", filename, content), filename, content)
    assert shared.send(with_it).status == 200
    assert shared.get(f"/main/files/acme-boundary/-/{filename}").body == content


@pytest_asyncio.fixture
async def inside(tmp_path: Path) -> AsyncIterator[tuple[Inside, str]]:
    """A keep in this process, and a token for it."""
    async with Inside(tmp_path, CONFIG) as made:
        text = token_text.write(bytes(token_text.RANDOM_BYTES))
        scopes = (read_scope("publish:acme"),)
        await made.keep.tokens.add(text, name="ci", scopes=scopes, created=datetime.now(UTC), expires=None)
        yield made, basic(text)


async def test_a_full_disk_stops_uploads_and_nothing_else(
    inside: tuple[Inside, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, credentials = inside
    filename, content = wheel("acme-full", "1.0")
    body = form(fields("acme-full", "1.0", filename, content), filename, content)
    headers = {"content_type": KIND, "authorization": credentials}

    def full(self: Filling, piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Filling, "write", full)
    reply = await keep.post("/main/legacy/", receive=sending(body), **headers)
    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    assert reply.detail == "the keep's disk cannot take it: No space left on device"
    assert (await keep.get("/main/simple/acme-full/")).status == 200
    monkeypatch.undo()
    assert (await keep.post("/main/legacy/", receive=sending(body), **headers)).status == 200


async def test_a_client_that_falls_silent_is_given_up(
    inside: tuple[Inside, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, credentials = inside
    filename, content = wheel("acme-silent", "1.0")
    body = form(fields("acme-silent", "1.0", filename, content), filename, content)
    monkeypatch.setattr("wheelkeep.web.body.PATIENCE", 0.05)
    client = sending(body[:-100], b"")

    async def receive() -> Message:
        return {**await client(), "more_body": True}

    headers = {"content_type": KIND, "authorization": credentials}
    reply = await keep.post("/main/legacy/", receive=receive, **headers)
    assert (reply.status, reply.detail.split(",")[0]) == (408, "the upload broke off before its end")
    assert not list((keep.keep.settings.data / "tmp").glob("*.part"))


async def test_attestations_are_served_as_they_were_given(inside: tuple[Inside, str]) -> None:
    keep, credentials = inside
    headers = {"content_type": KIND, "authorization": credentials}

    async def upload(filename: str, content: bytes, given: list[Any]) -> Reply:
        told = fields("acme-proven", "1.0", filename, content, attestations=json.dumps(given))
        return await keep.post("/main/legacy/", receive=sending(form(told, filename, content)), **headers)

    filename, content = wheel("acme-proven", "1.0")
    given = [attesters.authority().attestation(filename, hashlib.sha256(content).hexdigest())]
    spoilt = json.loads(json.dumps(given))
    spoilt[0]["envelope"]["signature"] = "AA=="
    refused = await upload(filename, content, spoilt)
    assert refused.status == 400
    assert refused.detail == "attestation 1 is false: its signature is not by its certificate"
    # By an authority that the public trust root does not have: kept, and said to be not verified.
    assert (await upload(filename, content, given)).status == 200
    (shown,) = (await keep.get("/main/simple/acme-proven/", accept=JSON)).json["files"]
    address = f"/main/integrity/acme-proven/1.0/{filename}/provenance"
    assert shown["provenance"] == f"../..{address.removeprefix('/main')}"
    (bundle,) = (await keep.get(address)).json["attestation_bundles"]
    assert bundle == {"publisher": {"kind": "unverified", "claims": None}, "attestations": given}
