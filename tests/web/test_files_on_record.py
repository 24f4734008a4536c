"""Every answer that sends a file's bytes leaves one line, before the first of them; nothing else leaves any."""

import asyncio
import hashlib
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from fakes.asgi import Inside, patient, scope
from fakes.dists import wheel
from fakes.faults import Answer, Exchange, drip
from fakes.outside import Outside
from wheelkeep.core.access import read_scope
from wheelkeep.core.names import IndexName
from wheelkeep.store.fetches import Fetch, Which
from wheelkeep.web.app import App

from .conftest import BIG, CONFIG, world
from .test_files import address, follow

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILENAME, CONTENT = wheel("large", "1.0", files={"large.bin": BIG})
SHA256 = hashlib.sha256(CONTENT).hexdigest()
AT = f"/main/files/large/{SHA256}/{FILENAME}"
PIP = 'pip/25.0 {"ci":null}'
WAIVER = """
[deny]
packages = ["large"]

[[waiver]]
package = "large==1.0"
gates = ["deny"]
reason = "CVE-1"
by = "ada"
until = 2099-12-31
"""


async def noted(inside: Inside) -> list[Fetch]:
    return [line async for _, line in inside.keep.fetches.lines(Which())][::-1]


async def test_one_line_for_each_answer_with_bytes(inside: Inside, outside: Outside) -> None:
    """Cold and kept, whole and in parts, by each address."""
    rest = f"aa/bb/{'c' * 60}"
    outside.bodies[f"/packages/{rest}/{FILENAME}"] = Answer(200, {}, CONTENT)
    outside.add(FILENAME, CONTENT, url=f"{outside.origin}/packages/{rest}/{FILENAME}")
    asked = [
        (AT, {}, False),
        (AT, {}, False),
        (f"/main/files/large/-/{FILENAME}", {"range": "bytes=0-9"}, True),
        (AT, {"range": "nonsense"}, False),
        (f"/main/packages/{rest}/{FILENAME}", {}, False),
        (f"/omits/files/large/{SHA256}/{FILENAME}", {}, False),
    ]
    for path, headers, partial in asked:
        reply = await inside.get(path, user_agent=PIP, **headers)
        assert reply.status == (206 if partial else 200)
    lines = await noted(inside)
    assert [(line.index, line.partial) for line in lines] == [
        (path.split("/")[1], partial) for path, _, partial in asked
    ]
    for line in lines:
        assert (line.source, line.project, line.version, line.filename) == ("outer", "large", "1.0", FILENAME)
        assert (line.sha256, line.who, line.address, line.tool) == (SHA256, None, "127.0.0.1", "pip/25.0")
        assert line.waived == ()


async def test_a_part_of_what_is_not_here_yet(inside: Inside) -> None:
    assert (await inside.get(AT, range="bytes=5-9")).body == CONTENT[5:10]
    assert [(line.sha256, line.partial) for line in await noted(inside)] == [(SHA256, True)]


async def test_what_sends_no_bytes_leaves_no_line(inside: Inside, outside: Outside) -> None:
    assert (await inside.head(AT)).status == 200
    outside.faults["/files/large/"] = "error"
    assert (await inside.get(AT)).status == 503
    assert await noted(inside) == []
    outside.faults.clear()
    await inside.get(AT)
    for method, path, headers, status in [
        ("HEAD", AT, {}, 200),
        ("HEAD", AT, {"range": "bytes=0-1"}, 206),
        ("GET", AT, {"if_none_match": f'"{SHA256}"'}, 304),
        ("GET", AT, {"range": f"bytes={len(CONTENT)}-"}, 416),
        ("GET", f"{AT}.metadata", {}, 200),
        ("GET", AT.replace(SHA256, "0" * 64), {}, 404),
        ("GET", "/main/simple/large/", {}, 200),
        ("POST", AT, {}, 405),
    ]:
        assert (await inside.ask(method, path, **headers)).status == status, (method, path, headers)
    assert len(await noted(inside)) == 1


async def test_a_refusal_names_who_asked(inside: Inside, outside: Outside) -> None:
    denied = address("main", outside, "demo-2.0-py3-none-any.whl")
    reply = await inside.get(denied, user_agent="uv/0.9")
    assert (await follow(inside, denied, reply)).status == 403
    assert await noted(inside) == []
    await inside.keep.book.close()
    (entry,) = await inside.keep.ledger.last("blocked")
    assert {name: entry.detail[name] for name in ("by", "from", "tool", "version", "gate")} == {
        "by": None,
        "from": "127.0.0.1",
        "tool": "uv/0.9",
        "version": "2.0",
        "gate": "deny",
    }


async def test_by_which_waiver(outside: Outside, tmp_path: Path) -> None:
    folder = world(outside, tmp_path)
    (folder / "policy.toml").write_text(WAIVER)
    async with Inside(folder, CONFIG.format(url=outside.url, more="")) as inside:
        assert (await inside.get(AT)).status == 200
        ((waived,),) = [line.waived for line in await noted(inside)]
    told = (waived.gate, waived.package, waived.reason, waived.by, waived.until)
    assert told == ("deny", "large==1.0", "CVE-1", "ada", "2099-12-31")


async def test_a_closed_index_names_the_token_and_no_header_names_anybody(
    outside: Outside, tmp_path: Path
) -> None:
    config = CONFIG.format(url=outside.url, more="").replace(
        "[indexes.omits]", '[indexes.omits]\nread = "token"'
    )
    async with Inside(world(outside, tmp_path), config) as inside:
        text = f"wk_{'A' * 11}_{'B' * 32}"
        made = await make_token(inside, "ci")
        closed = AT.replace("/main/", "/omits/")
        assert (await inside.get(closed, authorization=f"Bearer {text}")).status == 401
        forged = {"x_forwarded_for": "6.6.6.6", "forwarded": "for=6.6.6.6", "x_real_ip": "6.6.6.6"}
        assert (await inside.get(closed, authorization=f"Bearer {made}", **forged)).status == 200
        assert (await inside.get(AT, authorization=f"Bearer {made}")).status == 200
        lines = await noted(inside)
    # An open index looks at no credentials.
    assert [(line.index, line.who, line.address) for line in lines] == [
        ("omits", "ci", "127.0.0.1"),
        ("main", None, "127.0.0.1"),
    ]


async def make_token(inside: Inside, name: str) -> str:
    import os
    from datetime import UTC, datetime

    from wheelkeep.core import token_text

    text = token_text.write(os.urandom(token_text.RANDOM_BYTES))
    scopes = (read_scope("read:omits"),)
    await inside.keep.tokens.add(text, name=name, scopes=scopes, created=datetime.now(UTC), expires=None)
    return text


async def test_the_line_is_there_before_the_first_byte_also_of_a_stream(
    inside: Inside, outside: Outside
) -> None:
    outside.faults["/files/large/"] = drip(size=70_000, every=0.01)
    app = App(inside.keep)
    seen: list[int] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            seen.append(len(await noted(inside)))

    for number in (1, 2):
        await app(scope("GET", AT, {}), patient(), send)
        assert seen[-1] == number


async def test_a_client_that_leaves_early_has_its_line(inside: Inside, outside: Outside) -> None:
    outside.faults["/files/large/"] = drip(size=70_000, every=0.01)

    async def gone() -> MutableMapping[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    await inside.ask("GET", AT, receive=gone)
    assert [line.filename for line in await noted(inside)] == [FILENAME]


async def test_a_book_that_cannot_be_written_stops_nobody(inside: Inside) -> None:
    book = inside.folder / "wheelkeep-data" / "fetches.sqlite"
    book.mkdir()
    for _ in range(3):
        assert (await inside.get(AT)).body == CONTENT
    assert inside.keep.fetch_book.behind
    book.rmdir()
    async with asyncio.timeout(20):
        while inside.keep.fetch_book.behind:
            await asyncio.sleep(0.05)
    assert len(await noted(inside)) == 3


async def test_which_policy_came_into_force(inside: Inside) -> None:
    """At the start and after an edit; a broken one never did."""
    start = await inside.keep.ledger.last("policy")
    assert sorted(entry.detail["index"] for entry in start) == ["main", "omits", "strict"]
    policy = inside.folder / "policy.toml"
    for text in (b"[deny\n", WAIVER.encode()):
        policy.write_bytes(text)
        index = inside.keep.indexes[IndexName("main")]
        assert index.policy.refresh() is False
        assert index.policy.refresh() is text.startswith(b"\n")
        await inside.keep.note_policy(index)
    newest, *before = await inside.keep.ledger.last("policy")
    assert newest.detail == {"index": "main", "sha256": hashlib.sha256(WAIVER.encode()).hexdigest()}
    assert before == start


async def test_a_download_that_fails_while_its_line_is_written_is_an_outage_in_words(
    inside: Inside, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent yet: a server that has a head to send and no byte of a body says 500 by itself."""

    noise = hashlib.shake_256(b"noise").digest(300_000)
    filename, content = wheel("loud", "1.0", files={"loud.bin": noise})
    outside.add(filename, content)

    async def others(exchange: Exchange) -> None:
        await exchange.head(length=len(content))
        await exchange.write(bytes(200_000))
        await asyncio.sleep(0.2)
        await exchange.write(bytes(len(content) - 200_000))

    outside.faults["/files/loud/"] = others
    note = inside.keep.fetch_book.note

    async def slowly(*given: Any, **more: Any) -> None:
        await note(*given, **more)
        while inside.keep.fetcher._fills:
            await asyncio.sleep(0.01)

    monkeypatch.setattr(inside.keep.fetch_book, "note", slowly)
    at = f"/main/files/loud/{hashlib.sha256(content).hexdigest()}/{filename}"
    reply = await inside.get(at)
    assert (reply.status, reply.kind, reply.whole) == (503, "application/problem+json", True)
    assert [line.filename for line in await noted(inside)] == [filename]
    outside.faults.clear()
    assert (await inside.get(at)).body == content
