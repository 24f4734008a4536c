"""The page for people: what to type, and whether the sources answer; nothing in it runs, nothing in it is private."""

import asyncio
import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest

from fakes.asgi import Inside
from fakes.ask import BROWSER
from fakes.outside import Outside

from .conftest import CONFIG, world

pytestmark = pytest.mark.asyncio(loop_scope="session")


def words(html: str) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


async def test_what_to_type_for_each_index(shared: Inside) -> None:
    reply = await shared.get("/", accept=BROWSER)
    assert (reply.status, reply.kind) == (200, "text/html")
    shown = words(reply.text)
    for index in ("main", "omits", "strict"):
        assert f"http://127.0.0.1:8080/{index}/simple/" in shown
    for client in ("pip", "uv", "poetry", "pdm"):
        assert client in shown
    one = words((await shared.get("/strict/", accept=BROWSER)).text)
    assert "/strict/simple/" in one
    assert "/main/simple/" not in one


async def test_its_own_address_where_one_is_stated(outside: Outside, tmp_path: Path) -> None:
    config = 'public_url = "https://packages.acme.example/py"\n' + CONFIG.format(url=outside.url, more="")
    async with Inside(world(outside, tmp_path), config) as inside:
        shown = (await inside.get("/", host="evil.example", x_forwarded_host="evil.example")).text
        assert "https://packages.acme.example/py/main/simple/" in shown
        assert "evil.example" not in shown
        assert "127.0.0.1" not in shown


async def test_the_state_of_the_sources(inside: Inside, outside: Outside) -> None:
    async def state(source: str) -> str:
        html = (await inside.get("/main/")).text
        row = re.search(rf"<tr><td>{source}</td>.*?</tr>", html, re.DOTALL)
        assert row is not None
        return words(row[0])

    assert "not asked yet" in await state("outer")
    await inside.get("/main/simple/demo/")
    assert re.search(r"remote answered 20\d\d-\d\d-\d\d \d\d:\d\d UTC", await state("outer"))
    assert "directory read" in await state("house")
    outside.stop()
    assert (await inside.get("/main/simple/new-name/")).status == 503
    broken = await state("outer")
    assert "does not answer" in broken
    # The reason may tell of the operator's network, and stays in the log.
    assert outside.origin not in (await inside.get("/main/")).text


async def test_a_broken_policy_is_told(inside: Inside) -> None:
    assert "is broken" not in (await inside.get("/main/")).text
    (inside.folder / "policy.toml").write_text("[deny\n")
    while "is broken" not in (shown := (await inside.get("/main/")).text):
        await asyncio.sleep(0.02)
    assert "[deny" not in shown
    assert "is broken" not in (await inside.get("/strict/")).text


async def test_its_style_is_its_own_and_nothing_else_is_loaded(shared: Inside) -> None:
    for path in ("/", "/main/"):
        html = (await shared.get(path)).text
        links = re.findall(r'(?:href|src)="([^"]+)"', html)
        leads = [urljoin(f"http://keep{path}", link).removeprefix("http://keep") for link in links]
        assert leads == ["/static/wheelkeep.css", "/api/docs"]
        style = await shared.get(leads[0])
        assert (style.status, style.kind) == (200, "text/css")
        assert style.headers["x-content-type-options"] == "nosniff"
        assert "url(" not in style.text
        assert "<script" not in html
        assert "style=" not in html


async def test_what_is_in_the_configuration_cannot_run(outside: Outside, tmp_path: Path) -> None:
    config = (
        'public_url = "https://packages.acme.example/a\'b&amp;c"\n'
        f'[sources.outer]\nkind = "remote"\nurl = "{outside.url}"\n[indexes.main]\nsources = ["outer"]\n'
    )
    async with Inside(tmp_path, config) as inside:
        html = (await inside.get("/")).text
        assert "a'b" not in html
        assert "https://packages.acme.example/a'b&amp;c/main/simple/" in unescape(html)
