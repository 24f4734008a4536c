"""A client of the Upload API 2.0 (PEP 694), in words of its own: it knows the root alone, and follows links."""

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes.ask import Reply, ask
from fakes.uploads import CONFIG, Publishing, basic
from wheelkeep.core import token_text
from wheelkeep.core.access import read_scope
from wheelkeep.store.database import Database
from wheelkeep.store.prepare import prepare
from wheelkeep.store.tokens import Tokens

MEDIA = "application/vnd.pypi.upload.v2+json"
META = {"api-version": "2.0"}
STAGING = 'experimental = ["upload-2.0"]\n' + CONFIG


class Staging(Publishing):
    """A server with the experiment, whose index ``main`` publishes to ``acme``."""

    def __init__(self, folder: Path, config: str = STAGING, *, options: tuple[str, ...] = ()) -> None:
        super().__init__(folder, config, options=options)

    @property
    def root(self) -> str:
        return f"{self.url}/main/upload/2.0/"

    def call(
        self,
        method: str,
        url: str,
        told: dict[str, Any] | bytes | None = None,
        *,
        token: str | None = None,
        kind: str = MEDIA,
        **headers: str,
    ) -> Reply:
        """One request; ``told`` is JSON that is given the ``meta`` it needs, or a body as it is."""
        if isinstance(told, dict):
            told = json.dumps({"meta": META, **told}).encode()
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = basic(token)
        if told is not None:
            headers["Content_Type"] = kind
        return ask(url, method, body=told, **headers)

    def open(self, name: str, version: str = "1.0", *, token: str | None = None) -> "Staged":
        """A new session."""
        made = self.call("POST", self.root, {"name": name, "version": version}, token=token)
        assert made.status == 201, made.body
        return Staged(self, made, token)

    def make_tokens(self, scopes: Mapping[str, list[str]]) -> dict[str, str]:
        """Several tokens by name, made as another process would, and sooner than by the command."""
        return asyncio.run(self._tokens(scopes))

    async def _tokens(self, scopes: Mapping[str, list[str]]) -> dict[str, str]:
        database = Database(prepare(self.data))
        made = {name: token_text.write(os.urandom(token_text.RANDOM_BYTES)) for name in scopes}
        for name, given in scopes.items():
            may = tuple(read_scope(scope) for scope in given)
            await Tokens(database).add(
                made[name], name=name, scopes=may, created=datetime.now(UTC), expires=None
            )
        await database.close()
        return made

    def staged_bytes(self) -> list[Path]:
        """Every file below the folder of staged bytes."""
        return [path for path in (self.data / "staged").rglob("*") if path.is_file()]


class Staged:
    """One session of one client."""

    def __init__(self, server: Staging, made: Reply, token: str | None) -> None:
        self.server = server
        self.made = made
        self.links: dict[str, str] = made.json["links"]
        self.secret: str = made.json["session-token"]
        self._token = token

    def call(self, method: str, url: str, told: dict[str, Any] | bytes | None = None, **more: str) -> Reply:
        return self.server.call(method, url, told, token=self._token, **more)

    def announce(self, filename: str, content: bytes, other: dict[str, object] | None = None) -> Reply:
        told: dict[str, object] = {
            "filename": filename,
            "size": len(content),
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "mechanism": "http-post-bytes",
        }
        return self.call("POST", self.links["upload"], told | (other or {}))

    def send(self, announced: Reply, content: bytes) -> Reply:
        url = announced.json["mechanism"]["file_url"]
        return self.call("POST", url, content, kind="application/octet-stream")

    def complete(self, announced: Reply) -> Reply:
        return self.call("POST", announced.json["links"]["complete"], {})

    def add(self, filename: str, content: bytes) -> Reply:
        """A file, from its announcement to its completion; gives the announcement."""
        announced = self.announce(filename, content)
        assert announced.status == 202, announced.body
        assert self.send(announced, content).status == 204
        done = self.complete(announced)
        assert done.status == 201, done.body
        return announced

    def status(self) -> Any:
        told = self.call("GET", self.links["session"])
        assert told.status == 200, told.body
        return told.json

    def publish(self) -> Reply:
        return self.call("POST", self.links["publish"], {})

    def cancel(self) -> Reply:
        return self.call("DELETE", self.links["session"])
