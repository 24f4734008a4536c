"""What a person sees in a browser: the page that says what to type, drawn under its own security policy."""

import re
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server, environment
from fakes.tools import tool

pytestmark = pytest.mark.journey

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--v=0",
    "--dump-dom",
]
CONFIG = """
[sources.house]
kind = "directory"
path = "house"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"
"""


def browse(url: str, profile: Path) -> tuple[str, str]:
    """The page as it stands after it was drawn, and what the browser had to say about it."""
    command = [tool("chromium", "chromium-browser"), *OPTIONS, f"--user-data-dir={profile}", url]
    seen = subprocess.run(
        command, capture_output=True, text=True, timeout=100, env=environment(HOME=str(profile))
    )
    assert seen.returncode == 0, seen.stderr[-2000:]
    console = [line for line in seen.stderr.splitlines() if "CONSOLE" in line or "Content Security" in line]
    return seen.stdout, "\n".join(console)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_the_home_page_and_a_refusal(tmp_path: Path) -> None:
    with Outside() as outside:
        (tmp_path / "house").mkdir()
        (tmp_path / "policy.toml").write_text(
            '[deny]\npackages = ["demo"]\nreason = "INC-42 <script>alert(1)</script>"\n'
        )
        outside.add(*wheel("demo", "1.0"))
        with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
            server.get("/main/simple/demo/")
            html, console = browse(f"{server.url}/", tmp_path / "profile")
            shown = words(html)
            assert f"index-url = {server.url}/main/simple/" in shown
            for word in ("house directory read", "outer remote answered 20", "uv", "poetry"):
                assert word in shown, shown
            assert not console
            # The style sheet was loaded, and nothing was kept out by the policy.
            assert server.log.count('"/static/wheelkeep.css"') == 1

            html, console = browse(
                f"{server.url}/main/files/demo/-/demo-1.0-py3-none-any.whl", tmp_path / "profile"
            )
            shown = words(html)
            assert "Blocked by the policy: deny" in shown
            assert "INC-42 <script>alert(1)</script>" in shown
            # A refusal is an error to a browser, and says so; nothing else is amiss.
            assert "Content Security" not in console


WICKED = """<script>document.title = "RAN"</script><img src="{outer}/pixel.png" onerror="document.title = 'RAN'">
<svg onload="document.title = 'RAN'"></svg><iframe src="{outer}/pixel.png"></iframe>
<a href="javascript:document.title = 'RAN'" autofocus onfocus="document.title = 'RAN'">x</a>
<style>body {{ background: url({outer}/pixel.png) }}</style><link rel="stylesheet" href="{outer}/pixel.png">
<meta http-equiv="refresh" content="0; url={outer}/pixel.png"><base href="{outer}/">"""


def test_nothing_of_a_wicked_project_runs(tmp_path: Path) -> None:
    """Script in a description, a summary, reasons and an address: nothing runs, and nobody outside is asked."""
    with Outside() as outside:
        (tmp_path / "house").mkdir()
        (tmp_path / "policy.toml").write_text("")
        wicked = WICKED.format(outer=outside.origin)
        line = wicked.replace("\n", " ")
        told = f"Summary: {line}\nHome-page: javascript:document.title='RAN'\nAuthor: {line}\n"
        told += f"Description-Content-Type: text/markdown\n\n# demo\n\n{wicked}\n"
        filename, content = wheel("demo", "1.0", told=told)
        (tmp_path / "house" / filename).write_bytes(content)
        outside.add(*wheel("theirs", "1.0"), yanked=line, requires_python=f">=3,{line}")
        outside.projects_status["theirs"] = ("deprecated", line)
        with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
            for path in (
                "/main/project/demo/",
                "/main/project/theirs/",
                "/main/simple/theirs/",
                f"/main/simple/{quote(line)}/",
            ):
                html, _ = browse(server.url + path, tmp_path / "profile")
                title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
                assert title is None or "RAN" not in title[1], (path, title)
                assert "body" in html, html
        assert not outside.asked("/pixel")
