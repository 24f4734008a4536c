"""A static site in a folder, looked at as a client does: what its pages list, each file of it held against its hash.

It also tells the guide's nginx configuration, so that what people copy is what is tested.
"""

import hashlib
import json
import os
import re
import socket
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from fakes.server import PATIENCE, environment
from fakes.tools import tool

_GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "site.md"
_AROUND = """
worker_processes 1;
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    access_log {folder}/asked.log;
{site}
}}
"""


def listed(site: Path) -> dict[str, set[str]]:
    """The files on the pages of all projects that have a page, by project; whatever is listed is there and right."""
    found: dict[str, set[str]] = {}
    for page in sorted(site.glob("simple/*/index.json")):
        document = json.loads(page.read_bytes())
        assert document["name"] == page.parent.name
        for file in document["files"]:
            content = (page.parent / unquote(file["url"])).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["hashes"]["sha256"]
            assert len(content) == file["size"]
            if file.get("core-metadata"):
                metadata = (page.parent / unquote(f"{file['url']}.metadata")).read_bytes()
                assert hashlib.sha256(metadata).hexdigest() == file["core-metadata"]["sha256"]
            if file.get("provenance"):
                assert (page.parent / unquote(file["provenance"])).is_file()
        found[page.parent.name] = {file["filename"] for file in document["files"]}
    for page in site.glob("simple/*/index.html"):
        for href in hrefs(page.read_text()):
            url, _, told = href.partition("#sha256=")
            assert hashlib.sha256((page.parent / unquote(url)).read_bytes()).hexdigest() == told
    for name in (name for root in roots(site) for name in root):
        assert (site / "simple" / name / "index.html").is_file()
        assert name in found
    return found


def roots(site: Path) -> list[list[str]]:
    """The names on both forms of the list of projects, as far as these are there."""
    found = []
    if (html := site / "simple" / "index.html").exists():
        found.append([href.rstrip("/") for href in hrefs(html.read_text())])
    if (told := site / "simple" / "index.json").exists():
        found.append([one["name"] for one in json.loads(told.read_bytes())["projects"]])
    return found


def hrefs(text: str) -> list[str]:
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if (tag, name) == ("a", "href"))

    Links().feed(text)
    return found


def things(site: Path) -> dict[str, bytes]:
    """All that lies there but the notes, which tell times."""
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path != site / "wheelkeep-site.json"
    }


class Nginx:
    """nginx with the configuration of the guide, in front of a folder."""

    def __init__(self, folder: Path, site: Path) -> None:
        (folder / "temp").mkdir(parents=True)
        (block,) = re.findall(r"(?ms)^```nginx\n(.*?)^```$", _GUIDE.read_text())
        # The port is ours already when nginx starts: it takes the socket over, so nobody else can.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.set_inheritable(True)
        port = self._socket.getsockname()[1]
        block = re.sub(r"(?m)^    listen .*;$", f"    listen 127.0.0.1:{port};", block, count=1)
        block = re.sub(r"(?m)^    root .*;$", f"    root {site};", block, count=1)
        user = "user root root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, user=user, site=block))
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        command = [tool("nginx"), "-e", f"{self._folder}/error.log", "-c", f"{self._folder}/nginx.conf"]
        self._process = subprocess.Popen(
            command,
            env=environment(NGINX=f"{self._socket.fileno()};"),
            stdin=subprocess.DEVNULL,
            pass_fds=(self._socket.fileno(),),
        )
        until = time.monotonic() + PATIENCE
        while not (self._folder / "nginx.pid").exists():
            assert self._process.poll() is None and time.monotonic() < until, self.log
            time.sleep(0.03)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._socket.close()

    @property
    def log(self) -> str:
        return (self._folder / "error.log").read_text()

    def simple(self) -> str:
        return f"{self.url}/simple/"
