"""The page about one project: its verdicts for people, and nothing that its publisher wrote can harm a reader."""

from pathlib import Path

import pytest

from fakes.asgi import Inside
from fakes.dists import wheel

CONFIG = """
[sources.house]
kind = "directory"
path = "house"

[indexes.main]
sources = ["house"]
policy = "policy.toml"

[indexes.closed]
sources = ["house"]
read = "token"
"""
MARKDOWN = """Description-Content-Type: text/markdown
Project-URL: Evil, javascript:alert(1)
Project-URL: Source, https://code.example/demo?a=1&b=<x>
License-Expression: MIT
Author: <script>alert(2)</script>

# A title

<script>alert(3)</script><img src=x onerror=alert(4)><iframe src="//evil.example"></iframe>

[click](javascript:alert(5)) and **bold**
"""
RST = """Description-Content-Type: text/x-rst

A title
=======

.. raw:: html

   <script>alert(6)</script>

.. include:: /etc/passwd

**bold**
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    house = tmp_path / "house"
    house.mkdir()
    (tmp_path / "policy.toml").write_text('[deny]\npackages = ["demo>=2"]\nreason = "INC-<b>42</b>"\n')
    for name, version, told in (
        ("demo", "1.0", MARKDOWN),
        ("demo", "2.0", ""),
        ("rst", "1.0", RST),
        ("plain", "1.0", "Description-Content-Type: text/plain\n\n<b>as it is</b>\n"),
        ("long", "1.0", "Description-Content-Type: text/markdown\n\n" + "<i>x</i>" * 60_000),
        ("bare", "1.0", ""),
    ):
        filename, content = wheel(name, version, told=told)
        (house / filename).write_bytes(content)
    return tmp_path


async def test_files_verdicts_and_description(folder: Path) -> None:
    async with Inside(folder, CONFIG) as inside:
        reply = await inside.get("/main/project/demo/")
        assert (reply.status, reply.kind) == (200, "text/html")
        html = reply.text
        assert "<h1>demo 1.0</h1>" in html
        assert "deny: INC-&lt;b&gt;42&lt;/b&gt;" in html
        assert "<strong>bold</strong>" in html
        assert "A title" in html
        assert "<td>MIT</td>" in html
        assert 'href="https://code.example/demo?a=1&amp;b=&lt;x&gt;"' in html
        link = html.split('<a href="../../files/demo/')[1].split('"')[0]
        assert (await inside.get(f"/main/files/demo/{link}")).status == 200
        assert "demo-2.0-py3-none-any.whl</a>" not in html
        assert "pip install --index-url http://127.0.0.1:8080/main/simple/ demo==1.0" in html


async def test_nothing_that_a_publisher_wrote_can_run(folder: Path) -> None:
    async with Inside(folder, CONFIG) as inside:
        for name in ("demo", "rst", "plain", "long"):
            reply = await inside.get(f"/main/project/{name}/")
            html = reply.text
            assert reply.status == 200
            for harm in ("<script", "javascript:", "onerror=", "<iframe", "root:"):
                assert harm not in html, (name, harm)
            assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "&lt;b&gt;as it is&lt;/b&gt;" in (await inside.get("/main/project/plain/")).text
        # What is too long to be rendered, or is broken, is shown as the text that it is.
        assert "&lt;i&gt;x&lt;/i&gt;" in (await inside.get("/main/project/long/")).text


async def test_other_spellings_other_projects_and_closed_indexes(folder: Path) -> None:
    async with Inside(folder, CONFIG) as inside:
        assert (await inside.get("/main/project/Demo/")).headers["location"].endswith("../demo/")
        assert (await inside.get("/main/project/demo")).status == 301
        assert (await inside.get("/main/project/absent/")).status == 404
        assert (await inside.get("/main/project/")).status == 404
        assert (await inside.get("/main/project/..%2f/")).status == 404
        assert (await inside.get("/main/project/bare/")).status == 200
        assert (await inside.post("/main/project/demo/")).status == 405
        for name in ("demo", "absent"):
            assert (await inside.get(f"/closed/project/{name}/")).status == 401
