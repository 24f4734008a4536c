"""Uploads as clients send them, and a server that takes them: the legacy upload API, byte for byte."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from fakes.ask import Reply, ask
from fakes.command import quickly
from fakes.server import Server

BOUNDARY = "-----boundary-of-a-form"
KIND = f"multipart/form-data; boundary={BOUNDARY}"
CONFIG = """
[sources.acme]
kind = "hosted"
names = ["acme-*"]
exclude = ["unwanted", "acme-lib==6.6.6"]

[sources.other]
kind = "hosted"
names = ["other-*"]

[indexes.main]
sources = ["acme", "other"]
publish = "acme"

[indexes.silent]
sources = ["acme"]
"""

Field = tuple[str, str]


def fields(name: str, version: str, filename: str, content: bytes, **more: str | None) -> list[Field]:
    """What a good client says of a file; ``more`` by field, None leaves one out, ``action`` stands for ``:action``."""
    sdist = not filename.endswith(".whl")
    told: dict[str, str | None] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": name,
        "version": version,
        "filetype": "sdist" if sdist else "bdist_wheel",
        "pyversion": "source" if sdist else "py3",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }
    told |= {(":action" if field == "action" else field): value for field, value in more.items()}
    return [(field, value) for field, value in told.items() if value is not None]


def part(field: str, value: str | bytes, more: str = "") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{more}\r\n\r\n'
    return head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


def form(told: list[Field], filename: str, content: bytes) -> bytes:
    """The whole body, the file last, as every client has it."""
    parts = [part(field, value) for field, value in told]
    return b"".join([*parts, part("content", content, f'; filename="{filename}"'), END])


END = f"--{BOUNDARY}--\r\n".encode()


def basic(token: str) -> str:
    """The header's value by which clients send a token."""
    return "Basic " + base64.b64encode(f"__token__:{token}".encode()).decode()


class Publishing(Server):
    """A server whose index ``main`` publishes to ``acme``; ``token`` may publish anything there."""

    def __init__(self, folder: Path, config: str = CONFIG, *, token: str | None = None, **more: Any) -> None:
        """``more`` as for ``Server``."""
        super().__init__(folder, config, **more)
        self.token = token or self.make_token("publish:acme")

    def make_token(self, *scopes: str) -> str:
        words = [word for scope in scopes for word in ("--scope", scope)]
        made = quickly(
            "-c", self.config, "token", "create", "--name", f"for {scopes}", *words, cwd=self.folder
        )
        assert made.code == 0, made.err
        return made.out.strip()

    def publish(
        self,
        name: str,
        version: str,
        filename: str,
        content: bytes,
        *,
        token: str | None = None,
        path: str = "/main/legacy/",
        **more: str | None,
    ) -> Reply:
        """One upload; ``token`` empty: without credentials."""
        body = form(fields(name, version, filename, content, **more), filename, content)
        return self.send(body, token=token, path=path)

    def send(self, body: bytes, *, token: str | None = None, path: str = "/main/legacy/") -> Reply:
        token = self.token if token is None else token
        headers = {"Authorization": basic(token)} if token else {}
        return ask(self.url + path, "POST", body=body, Content_Type=KIND, **headers)

    def half_done(self) -> list[Path]:
        """What lies where uploads are written before they are kept."""
        return list((self.data / "tmp").glob("*.part"))
