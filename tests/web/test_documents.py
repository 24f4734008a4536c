"""The documents beside the Simple API: legacy JSON with the same filters, and attestations."""

import json
from pathlib import Path
from urllib.parse import urljoin

import pytest

from fakes.asgi import Inside
from fakes.dists import wheel
from fakes.faults import Answer, says
from fakes.outside import Outside
from wheelkeep.web.documents import read_info

from .conftest import CONFIG, PROOF, world

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_legacy_json_of_a_project(shared: Inside, steady: Outside) -> None:
    path = "/main/pypi/demo/json"
    reply = await shared.get(path)
    assert (reply.status, reply.kind) == (200, "application/json")
    assert reply.headers["x-content-type-options"] == "nosniff"
    told = reply.json
    assert (told["info"]["name"], told["info"]["version"]) == ("demo", "1.0")
    assert told["info"]["summary"] == "The project demo"
    assert told["info"]["requires_python"] == ">=3.8,<4"
    assert set(told["releases"]) == {"0.9", "1.0", "1.1", "2.0"}
    assert told["urls"] == told["releases"]["1.0"]
    file = told["urls"][0]
    listed = steady._listed["demo"]["demo-1.0-py3-none-any.whl"]
    assert file["digests"] == {"sha256": listed.sha256}
    assert (file["size"], file["packagetype"], file["yanked"]) == (len(listed.content), "bdist_wheel", False)
    assert file["upload_time_iso_8601"] == "2020-02-02T00:00:00.000000Z"
    leads = urljoin(f"http://keep{path}", file["url"]).removeprefix("http://keep")
    assert (await shared.get(leads)).body == listed.content


async def test_blocked_files_are_yanked_with_the_reason_or_left_out(shared: Inside) -> None:
    """The newest admitted version is the version: tools that read this alone must not be led to a blocked one."""
    told = (await shared.get("/main/pypi/demo/json")).json
    blocked = told["releases"]["2.0"][0]
    assert (blocked["yanked"], blocked["yanked_reason"]) == (
        True,
        'wheelkeep: deny: INC-42 (denied as "demo>=2")',
    )
    own = told["releases"]["1.1"][0]
    assert (own["yanked"], own["yanked_reason"]) == (True, "bad <b>day</b>")
    left = (await shared.get("/omits/pypi/demo/json")).json
    assert set(left["releases"]) == {"0.9", "1.0", "1.1"}
    assert left["info"]["version"] == "1.0"
    none = (await shared.get("/main/pypi/never/json")).json
    assert (none["info"]["version"], none["urls"]) == (None, [])
    assert none["releases"]["1.0"][0]["yanked"] is True


async def test_the_legacy_json_of_a_version(shared: Inside) -> None:
    for version in ("1.0", "1.0.0", "01.0"):
        told = (await shared.get(f"/main/pypi/demo/{version}/json")).json
        assert told["info"]["version"] == "1.0"
        assert [file["filename"] for file in told["urls"]] == ["demo-1.0-py3-none-any.whl"]
        assert "releases" not in told
    blocked = (await shared.get("/main/pypi/demo/2.0/json")).json
    assert blocked["urls"][0]["yanked_reason"].startswith("wheelkeep: deny: ")
    assert blocked["info"]["yanked"] is True
    assert blocked["info"]["yanked_reason"] == blocked["urls"][0]["yanked_reason"]
    assert (await shared.get("/omits/pypi/demo/2.0/json")).json["urls"] == []
    for unknown in ("7.0", "latest", "1.0-py3", "%2e%2e"):
        assert (await shared.get(f"/main/pypi/demo/{unknown}/json")).status == 404


async def test_what_is_known_against_the_version_of_a_document(shared: Inside, steady: Outside) -> None:
    """Not against the newest one of the origin, which may be another."""
    steady.vulnerabilities["demo"] = [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["1.0"]}]
    try:
        old = (await shared.get("/omits/pypi/demo/0.9/json")).json["vulnerabilities"]
        assert [(one["id"], one["aliases"], one["fixed_in"]) for one in old] == [
            ("PYSEC-1", ["CVE-1"], ["1.0"])
        ]
        assert (await shared.get("/omits/pypi/demo/1.0/json")).json["vulnerabilities"] == []
    finally:
        del steady.vulnerabilities["demo"]


async def test_links_in_both_documents_lead_to_files(shared: Inside) -> None:
    for path in ("/main/pypi/demo/json", "/main/pypi/demo/1.0/json"):
        for file in (await shared.get(path)).json["urls"]:
            leads = urljoin(f"http://keep{path}", file["url"]).removeprefix("http://keep")
            assert (await shared.get(leads)).status == 200


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/main/pypi/De_Mo/json", "/main/pypi/de-mo/json"),
        ("/main/pypi/Demo/1.0/json?x=y", "/main/pypi/demo/1.0/json?x=y"),
        ("/main/pypi/Demo/1.0%3Fa%23b/json", "/main/pypi/demo/1.0%3Fa%23b/json"),
    ],
)
async def test_other_spellings_are_redirected(shared: Inside, path: str, leads: str) -> None:
    reply = await shared.get(path)
    assert reply.status == 301
    assert urljoin(f"http://keep{path}", reply.headers["location"]) == f"http://keep{leads}"


async def test_not_modified_and_heads(shared: Inside) -> None:
    for path in ("/main/pypi/demo/json", "/main/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance"):
        reply = await shared.get(path)
        again = await shared.get(path, if_none_match=reply.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        head = await shared.head(path)
        assert (head.status, head.body, head.headers["etag"]) == (200, b"", reply.headers["etag"])
        assert reply.headers["cache-control"] == "no-cache"


async def test_names_that_are_not_here(shared: Inside, steady: Outside) -> None:
    assert (await shared.get("/main/pypi/nothing/json")).status == 404
    for unlisted in ("/strict/pypi/large/json", "/strict/pypi/large/1.0/json"):
        reply = await shared.get(unlisted)
        assert reply.status in {200, 404}
        assert reply.status == 404 or reply.json["releases"] == {}
    assert not [entry for entry in steady.log if "/pypi/large" in entry.path]


async def test_only_checked_words_of_the_origin_are_passed_on(outside: Outside, tmp_path: Path) -> None:
    """Texts where texts belong; no address of the origin, and no field that nobody knows."""
    info = {
        "summary": ["not", "text"],
        "author": "A",
        "classifiers": ["Private :: Do Not Upload", 7],
        "evil": "<x>",
    }
    info |= {
        "description": "D",
        "requires_dist": ["x>1"],
        "version": "1.0",
        "project_urls": {"a": "javascript:x", "Source": "https://code.acme.example/demo", "b": 7},
    }
    document = {
        "info": info,
        "releases": {"9.9": []},
        "urls": [{"url": "https://evil.example/x.whl"}],
        "more": 1,
        "vulnerabilities": [
            {"id": "X-1", "fixed_in": ["2.0"], "link": "javascript:x", "evil": 1, "aliases": [7]},
            {"id": ["evil"]},
            "evil",
        ],
    }
    outside.bodies["/pypi/demo/json"] = Answer(
        200, {"Content-Type": "application/json"}, json.dumps(document).encode()
    )
    async with Inside(world(outside, tmp_path), CONFIG.format(url=outside.url, more="")) as inside:
        reply = await inside.get("/main/pypi/demo/json")
        told = reply.json
        assert (told["info"]["author"], told["info"]["description"]) == ("A", "D")
        assert (told["info"]["summary"], told["info"]["classifiers"]) == (None, [])
        assert told["info"]["project_urls"] == {"Source": "https://code.acme.example/demo"}
        assert told["info"]["requires_dist"] == ["x>1"]
        assert "9.9" not in told["releases"]
        assert told["vulnerabilities"] == [
            {"withdrawn": None, "id": "X-1", "fixed_in": ["2.0"], "link": None}
        ]
        for word in (b"evil", b"javascript", b"more"):
            assert word not in reply.body


@pytest.mark.parametrize("lie", ["error", "junk", "unauthorized", "bomb", "not-http"])
async def test_an_origin_without_a_usable_document(outside: Outside, tmp_path: Path, lie: str) -> None:
    """The page knows enough for the document to be made without it."""
    outside.faults["/pypi/"] = lie
    outside.faults["/integrity/"] = lie
    async with Inside(world(outside, tmp_path), CONFIG.format(url=outside.url, more="")) as inside:
        reply = await inside.get("/main/pypi/demo/json")
        assert (reply.status, reply.json["info"]["version"]) == (200, "1.0")
        proof = await inside.get("/main/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance")
        assert (proof.status, "retry-after" in proof.headers) == (503, True)


async def test_attestations_are_passed_on_as_json_and_no_more(outside: Outside, tmp_path: Path) -> None:
    path = "/main/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance"
    async with Inside(
        world(outside, tmp_path), CONFIG.format(url=outside.url, more='fresh = "1s"')
    ) as inside:
        reply = await inside.get(path)
        assert (reply.status, reply.json) == (200, PROOF)
        assert reply.kind == "application/vnd.pypi.integrity.v1+json"
        assert "immutable" not in reply.headers["cache-control"]
        for other in (
            path.replace("1.0/", "1.1/"),
            path.replace("demo-1.0-py3-none-any.whl", "demo-1.1-py3-none-any.whl"),
            path.replace("/demo/", "/Demo/"),
            path.removesuffix("/provenance"),
            path.replace("demo", "nothing"),
        ):
            assert (await inside.get(other)).status == 404, other
        # What was known stands in while the origin does not answer.
        deep = b'{"a":' + b"[" * 990 + b"]" * 990 + b"}"
        for odd in (
            b"<script>alert(1)</script>",
            b'{"a": 1e400}',
            b'{"a": "\xff"}',
            b'{"a": "\\ud800"}',
            deep,
        ):
            outside.faults["/integrity/"] = says(odd)
            assert (await inside.get(path)).json == PROOF, odd
        outside.stop()
        assert (await inside.get(path)).json == PROOF


@pytest.mark.parametrize(
    "odd", [b'{"a": 1e400}', b'{"info": {"summary": "\xff"}}', b'{"info": ' + b"[" * 980 + b"]" * 980 + b"}"]
)
async def test_documents_that_cannot_be_read_whole(outside: Outside, tmp_path: Path, odd: bytes) -> None:
    outside.faults["/integrity/"] = outside.faults["/pypi/"] = says(odd)
    path = "/main/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance"
    async with Inside(world(outside, tmp_path), CONFIG.format(url=outside.url, more="")) as inside:
        assert (await inside.get(path)).detail != "the keep could not deal with this request"
        assert (await inside.get("/main/pypi/demo/json")).status == 200


async def test_of_a_folders_project_the_document_is_made_without_any_origin(
    shared: Inside, steady: Outside
) -> None:
    told = (await shared.get("/main/pypi/acme-tool/json")).json
    assert (told["info"]["version"], told["info"]["requires_python"]) == ("1.0", ">=3.9")
    assert told["info"]["summary"] == "The project acme-tool"
    assert [file["filename"] for file in told["urls"]] == [wheel("acme-tool", "1.0")[0]]
    assert not [entry for entry in steady.log if "acme" in entry.path]


@pytest.mark.parametrize(
    ("metadata", "info"),
    [
        (
            b"Metadata-Version: 2.4\nSummary: S\nKeywords: a,b\nPlatform: x\nPlatform: y\nRequires-Dist: z>1\n\nD",
            {
                "metadata_version": "2.4",
                "summary": "S",
                "keywords": "a,b",
                "platforms": ["x", "y"],
                "platform": "x,y",
                "requires_dist": ["z>1"],
                "description": "D",
            },
        ),
        (b"", {}),
        (b"Summary: \xff\n\n\xff", {}),
    ],
)
async def test_what_metadata_says_under_the_names_of_the_legacy_json(
    metadata: bytes, info: dict[str, object]
) -> None:
    assert read_info(metadata) == info
