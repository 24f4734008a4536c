"""Files: whole, in parts, by each of their addresses, and never where the policy says no."""

import asyncio
import hashlib
from itertools import product
from pathlib import Path
from urllib.parse import urljoin

import pytest

from fakes.asgi import Inside
from fakes.ask import BROWSER, JSON, Reply
from fakes.dists import metadata, wheel
from fakes.faults import Answer
from fakes.outside import Outside

from .conftest import BIG, CONFIG, world

pytestmark = pytest.mark.asyncio(loop_scope="session")

LARGE = wheel("large", "1.0", files={"large.bin": BIG, "random.bin": hashlib.shake_256(b"r").digest(200_000)})
SHA256 = hashlib.sha256(LARGE[1]).hexdigest()
AT = f"/main/files/large/{SHA256}/{LARGE[0]}"


@pytest.fixture
def outside(outside: Outside) -> Outside:
    outside.add(*LARGE)
    return outside


def address(index: str, outside: Outside, filename: str) -> str:
    """The address that a page gives a file."""
    project = filename.split("-", maxsplit=1)[0].replace("_", "-")
    listed = outside._listed[project][filename]
    return f"/{index}/files/{project}/{hashlib.sha256(listed.content).hexdigest()}/{filename}"


async def test_a_file_comes_whole_and_for_ever(inside: Inside, outside: Outside) -> None:
    for _ in ("cold", "kept"):
        reply = await inside.get(AT)
        assert (reply.status, reply.body) == (200, LARGE[1])
        assert reply.headers["content-length"] == str(len(LARGE[1]))
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["etag"] == f'"{SHA256}"'
        assert reply.headers["accept-ranges"] == "bytes"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "content-encoding" not in reply.headers
    assert len(outside.asked("/files/large/")) == 1


async def test_kept_bytes_need_nobody_outside(inside: Inside, outside: Outside) -> None:
    assert (await inside.get(AT)).status == 200
    outside.stop()
    assert (await inside.get(AT)).body == LARGE[1]
    cold = await inside.get(address("main", outside, "chosen-1.0-py3-none-any.whl"))
    assert (cold.status, "retry-after" in cold.headers) == (503, True)


async def test_a_dash_stands_for_a_hash_not_told(inside: Inside) -> None:
    reply = await inside.get(f"/main/files/large/-/{LARGE[0]}")
    assert (reply.status, reply.body) == (200, LARGE[1])
    # Under that address other bytes may stand one day, in another index say.
    assert reply.headers["cache-control"] == "no-cache"


ELSEWHERE = [
    f"/main/files/large/{'0' * 64}/{LARGE[0]}",
    f"/main/files/large/{SHA256.upper()}/{LARGE[0]}",
    f"/main/files/large/{SHA256[:-1]}/{LARGE[0]}",
    f"/main/files/Large/{SHA256}/{LARGE[0]}",
    f"/main/files/demo/{SHA256}/{LARGE[0]}",
    f"/main/files/large/{SHA256}/LARGE-1.0-py3-none-any.whl",
    f"/main/files/large/{SHA256}/large-1.0.tar.gz",
    f"/main/files/large/{SHA256}/",
    f"/main/files/large/{SHA256}/.metadata",
    f"/main/files/large/{SHA256}/{LARGE[0]}.metadata.metadata",
    f"/main/files/large/{SHA256}/{LARGE[0]}/more",
    f"/nobody/files/large/{SHA256}/{LARGE[0]}",
    f"/files/large/{SHA256}/{LARGE[0]}",
]


async def test_no_other_address_has_it(inside: Inside, outside: Outside) -> None:
    for path in ELSEWHERE:
        reply = await inside.get(path)
        assert (reply.status, reply.kind) == (404, "application/problem+json"), path
    assert not outside.asked("/files/")


PARTS = [
    ("bytes=0-0", 0, 1),
    ("bytes=10-19", 10, 20),
    ("bytes=100000-", 100_000, len(LARGE[1])),
    ("bytes=-5", len(LARGE[1]) - 5, len(LARGE[1])),
    ("bytes=-99999999", 0, len(LARGE[1])),
    (f"bytes=5-{10**12}", 5, len(LARGE[1])),
    ("BYTES=1-2", 1, 3),
]


@pytest.mark.parametrize("first", range(2))
async def test_a_part_of_a_file(inside: Inside, outside: Outside, first: int) -> None:
    """The first of them is asked for while nothing is kept yet."""
    for asked, start, end in PARTS[first * 3 :]:
        reply = await inside.get(AT, range=asked)
        assert (reply.status, reply.body) == (206, LARGE[1][start:end])
        assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{len(LARGE[1])}"
        assert reply.headers["content-length"] == str(end - start)
        assert reply.headers["etag"] == f'"{SHA256}"'
    assert len(outside.asked("/files/")) == 1


async def test_parts_that_are_not_given(inside: Inside) -> None:
    await inside.get(AT)
    for asked in (f"bytes={len(LARGE[1])}-", "bytes=999999999-", "bytes=-0"):
        reply = await inside.get(AT, range=asked)
        assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{len(LARGE[1])}")
    # What cannot be read, or is several parts, is answered by the whole file (RFC 9110 14.2).
    for asked in ("bytes=", "bytes=5-2", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=--1", "x" * 9000):
        reply = await inside.get(AT, range=asked)
        assert (reply.status, reply.body) == (200, LARGE[1])


async def test_a_part_only_of_the_same_bytes(inside: Inside) -> None:
    await inside.get(AT)
    same = await inside.get(AT, range="bytes=0-9", if_range=f'"{SHA256}"')
    assert (same.status, same.body) == (206, LARGE[1][:10])
    for other in ('"other"', f'W/"{SHA256}"', "Sat, 01 Jan 2028 00:00:00 GMT", ""):
        reply = await inside.get(AT, range="bytes=0-9", if_range=other)
        assert (reply.status, reply.body) == (200, LARGE[1]), other


async def test_a_head_fetches_nothing(inside: Inside, outside: Outside) -> None:
    cold = await inside.head(AT)
    assert (cold.status, cold.body, cold.headers["content-length"]) == (200, b"", str(len(LARGE[1])))
    assert not outside.asked("/files/")
    await inside.get(AT)
    kept = await inside.head(AT)
    assert {name: value for name, value in kept.headers.items() if name != "x-request-id"} == {
        name: value for name, value in cold.headers.items() if name != "x-request-id"
    }
    part = await inside.head(AT, range="bytes=0-9")
    assert (part.status, part.body) in {(206, b""), (200, b"")}


async def test_a_head_of_a_size_not_told_promises_none(inside: Inside, outside: Outside) -> None:
    """Without a Content-Length, for 0 would be a lie."""
    outside.formats = ("html",)
    outside.faults["/files/"] = "error"
    head = await inside.head(AT)
    assert head.status == 200
    assert "content-length" not in head.headers


async def test_not_modified(inside: Inside) -> None:
    for _ in ("cold", "kept"):
        reply = await inside.get(AT, if_none_match=f'"{SHA256}"')
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", f'"{SHA256}"')
        await inside.get(AT)


async def test_metadata_beside_a_wheel(inside: Inside, outside: Outside) -> None:
    told = f"{address('main', outside, 'demo-1.0-py3-none-any.whl')}.metadata"
    reply = await inside.get(told)
    assert (reply.status, reply.body) == (200, metadata("demo", "1.0", requires_python=">=3.8,<4").encode())
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.headers["x-content-type-options"] == "nosniff"
    again = await inside.get(told, if_none_match=reply.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert (await inside.head(told)).headers["content-length"] == str(len(reply.body))
    # Of one whose origin tells none it is read out of a few pieces; the wheel itself is not fetched.
    beside = await inside.get(f"{AT}.metadata")
    assert beside.body == metadata("large", "1.0").encode()
    assert all("range" in entry.headers for entry in outside.asked("/files/large/"))
    page = (await inside.get("/main/simple/large/", accept=JSON)).json
    assert page["files"][0]["core-metadata"] == {"sha256": hashlib.sha256(beside.body).hexdigest()}


async def test_no_metadata_beside_an_sdist(inside: Inside, outside: Outside) -> None:
    reply = await inside.get(f"{address('main', outside, 'demo-0.9.tar.gz')}.metadata")
    assert reply.status == 404


async def test_metadata_that_is_another_wheels_is_not_passed_on(inside: Inside, outside: Outside) -> None:
    listed = outside._listed["demo"]["demo-1.0-py3-none-any.whl"]
    path = f"{address('main', outside, 'demo-1.0-py3-none-any.whl')}.metadata"
    outside.bodies["/files/demo/demo-1.0-py3-none-any.whl.metadata"] = Answer(200, {}, b"Name: evil\n")
    reply = await inside.get(path)
    assert reply.body == metadata("demo", "1.0", requires_python=">=3.8,<4").encode() == listed.metadata
    await inside.keep.book.close()
    assert (await inside.keep.ledger.last("incident"))[0].filename == "demo-1.0-py3-none-any.whl"


async def test_the_path_that_the_origin_gives_it(outside: Outside, tmp_path: Path) -> None:
    """A lock file written against the origin holds after its host is swapped."""
    filename, content = wheel("locked", "1.0")
    denied = wheel("never", "2.0")
    rest = f"aa/bb/{'c' * 60}"
    for name, body in ((filename, content), denied):
        outside.bodies[f"/packages/{rest}/{name}"] = Answer(200, {}, body)
        outside.add(name, body, url=f"{outside.origin}/packages/{rest}/{name}")
    async with Inside(world(outside, tmp_path), CONFIG.format(url=outside.url, more="")) as inside:
        reply = await inside.get(f"/main/packages/{rest}/{filename}")
        assert (reply.status, reply.body) == (200, content)
        assert reply.headers["cache-control"].endswith("immutable")
        beside = await inside.get(f"/main/packages/{rest}/{filename}.metadata")
        assert beside.body == metadata("locked", "1.0").encode()
        for other in (f"aa/bb/{'d' * 60}", f"bb/aa/{'c' * 60}", "aa/bb", f"x/aa/bb/{'c' * 60}"):
            assert (await inside.get(f"/main/packages/{other}/{filename}")).status == 404
        blocked = await inside.get(f"/main/packages/{rest}/{denied[0]}")
        assert blocked.status == 302
        shown = await follow(inside, f"/main/packages/{rest}/{denied[0]}", blocked)
        assert (shown.status, shown.json["gate"]) == (403, "deny")
        assert (await inside.get(f"/main/packages/{rest}/acme_tool-1.0-py3-none-any.whl")).status == 404


async def test_the_path_that_pypi_gives_it_wherever_it_came_from(inside: Inside, outside: Outside) -> None:
    """PyPI names folders by the BLAKE2b-256 of the bytes: those of a folder's or another index's file are the same."""
    ours = wheel("acme-tool", "1.0", requires_python=">=3.9")
    for filename, content in (ours, LARGE):
        path = f"/main/packages/{placed(content)}/{filename}"
        for _ in ("first", "kept"):
            reply = await inside.get(path)
            assert (reply.status, reply.body) == (200, content)
        assert (await inside.get(f"{path}.metadata")).status == 200
        for other in (placed(b"other"), placed(content).upper(), "aa/bb/cc"):
            assert (await inside.get(f"/main/packages/{other}/{filename}")).status == 404
    assert len(outside.asked("/files/large/")) == 1
    # Of what is blocked there are no bytes to be looked at, and nobody is asked for them.
    (denied,) = outside._listed["never"].values()
    assert (await inside.get(f"/main/packages/{placed(denied.content)}/{denied.filename}")).status == 404
    assert not outside.asked("/files/never/")


def placed(content: bytes) -> str:
    digest = hashlib.blake2b(content, digest_size=32).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest[4:]}"


async def follow(inside: Inside, path: str, reply: Reply) -> Reply:
    leads = urljoin(f"http://keep{path}", reply.headers["location"])
    assert leads.startswith("http://keep/")
    return await inside.get(leads.removeprefix("http://keep"))


async def test_a_blocked_file_is_not_to_be_had(inside: Inside, outside: Outside) -> None:
    name = "demo-2.0-py3-none-any.whl"
    told = hashlib.sha256(outside._listed["demo"][name].content).hexdigest()
    for index, sha256, method, headers in product(
        ("main", "omits"), (told, "-"), ("GET", "HEAD"), ({}, {"range": "bytes=0-9"}, {"if_none_match": "*"})
    ):
        path = f"/{index}/files/demo/{sha256}/{name}"
        reply = await inside.ask(method, path, **headers)
        assert (reply.status, reply.body) == (302, b"")
        assert reply.headers["location"] == f"../../../blocked/deny/INC-42-denied-as-demo-2/{name}"
        assert "immutable" not in reply.headers.get("cache-control", "")
        shown = await follow(inside, path, reply)
        assert (shown.status, shown.kind) == (403, "application/problem+json")
        assert {"gate": "deny", "code": "deny-package", "status": 403}.items() <= shown.json.items()
        assert 'INC-42 (denied as "demo>=2")' in shown.detail
        assert "waived" in shown.json["remedy"]
        # Its metadata stays readable, so that resolvers can go on.
        assert (await inside.get(f"{path}.metadata")).body == metadata("demo", "2.0").encode()
    assert not [entry for entry in outside.asked("/files/") if not entry.path.endswith(".metadata")]


async def test_bytes_that_were_kept_before_the_denial_are_not_given_either(
    inside: Inside, outside: Outside
) -> None:
    path = address("main", outside, "chosen-3.0-py3-none-any.whl")
    assert (await inside.get(path)).status == 200
    assert (await inside.get(path.replace("/main/", "/strict/"))).status == 302
    (inside.folder / "policy.toml").write_text('[deny]\npackages = ["chosen==3.0"]\n')
    while (await inside.get(path)).status == 200:
        await asyncio.sleep(0.02)
    for asked in (path, path.replace(path.split("/")[4], "-")):
        for headers in ({}, {"range": "bytes=0-9"}, {"if_none_match": f'"{path.split("/")[4]}"'}):
            assert (await inside.get(asked, **headers)).status == 302


async def test_a_refusal_is_in_the_ledger(inside: Inside, outside: Outside) -> None:
    await inside.get(address("main", outside, "demo-2.0-py3-none-any.whl"))
    await inside.keep.book.close()
    entry = (await inside.keep.ledger.last("blocked"))[0]
    assert (entry.project, entry.filename) == ("demo", "demo-2.0-py3-none-any.whl")
    assert {"index": "main", "gate": "deny", "code": "deny-package"}.items() <= entry.detail.items()


async def test_where_a_block_is_explained(inside: Inside) -> None:
    """Whatever the address says, the answer is the reason as it stands now."""
    at = "/main/blocked/hashes/it-is-because-I-say-so"
    now = await inside.get(f"{at}/demo-2.0-py3-none-any.whl")
    assert (now.status, now.json["gate"]) == (403, "deny")
    assert "I say so" not in now.text
    free = await inside.get(f"{at}/demo-1.0-py3-none-any.whl")
    assert (free.status, free.json["title"]) == (403, "No longer blocked")
    lost = await inside.get(f"{at}/demo-7.0-py3-none-any.whl")
    assert (lost.status, lost.json["gate"]) == (403, "hashes")
    unlisted = await inside.get("/strict/blocked/deny/x/large-1.0-py3-none-any.whl")
    assert (unlisted.status, unlisted.json["gate"]) == (403, "allow")
    shown = await inside.get(f"{at}/demo-2.0-py3-none-any.whl", accept=BROWSER)
    assert shown.kind == "text/html"
    assert "INC-42" in shown.text


async def test_an_unlisted_names_files_are_not_asked_for(inside: Inside, outside: Outside) -> None:
    for path in (
        f"/strict/files/large/{SHA256}/{LARGE[0]}",
        f"/strict/files/large/-/{LARGE[0]}",
        f"/strict/packages/aa/bb/{'c' * 60}/{LARGE[0]}",
    ):
        reply = await inside.get(path)
        assert reply.status == 302
        shown = await follow(inside, path, reply)
        assert (shown.status, shown.json["gate"]) == (403, "allow")
        assert "large is not on the allow list" in shown.detail
    assert not [entry for entry in outside.log if "large" in entry.path]


async def test_a_file_of_a_folder(inside: Inside) -> None:
    filename, content = wheel("acme-tool", "1.0", requires_python=">=3.9")
    page = (await inside.get("/main/simple/acme-tool/", accept=JSON)).json["files"]
    assert [entry["filename"] for entry in page] == [filename]
    assert page[0]["requires-python"] == ">=3.9"
    path = f"/main/files/acme-tool/{page[0]['hashes']['sha256']}/{filename}"
    for headers, status, body in (
        ({}, 200, content),
        ({"range": "bytes=2-5"}, 206, content[2:6]),
        ({"range": "bytes=-3"}, 206, content[-3:]),
    ):
        reply = await inside.get(path, **headers)
        assert (reply.status, reply.body) == (status, body)
    assert (await inside.get(f"{path}.metadata")).status == 200
    assert (await inside.get(path.replace("/main/", "/strict/"))).status == 404


async def test_the_metadata_of_a_blocked_file_is_not_worth_its_bytes(
    inside: Inside, outside: Outside
) -> None:
    outside.ranges = False
    filename = "never-1.0-py3-none-any.whl"
    assert (await inside.get(f"/main/files/never/-/{filename}.metadata")).status == 503
    assert not list(inside.keep.blobs.all())
    # Of a file that is not blocked it is.
    assert (await inside.get("/main/files/chosen/-/chosen-1.0-py3-none-any.whl.metadata")).status == 200
    assert list(inside.keep.blobs.all())


async def test_what_the_origin_drops_stays_while_its_bytes_are_here(outside: Outside, tmp_path: Path) -> None:
    config = CONFIG.format(url=outside.url, more='fresh = "1s"')
    async with Inside(world(outside, tmp_path), config) as inside:
        assert (await inside.get(AT)).status == 200
        await inside.get("/main/simple/chosen/")
        outside.remove(LARGE[0])
        outside.remove("large-1.0-py3-none-any.whl")
        outside.remove("chosen-1.0-py3-none-any.whl")
        asked = len(outside.asked("/simple/large/"))
        while True:
            chosen = (await inside.get("/main/simple/chosen/", accept=JSON)).json["versions"]
            large = await inside.get("/main/simple/large/", accept=JSON)
            if chosen == ["3.0"] and len(outside.asked("/simple/large/")) > asked + 1:
                break
            await asyncio.sleep(0.02)
        assert large.json["files"][0]["filename"] == LARGE[0]
        assert (await inside.get(AT)).body == LARGE[1]
        assert (await inside.get(address("main", outside, "chosen-3.0-py3-none-any.whl"))).status == 200
