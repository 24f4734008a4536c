"""The management API of a keep in this process, called by each kind of caller.

async with Managed(tmp_path) as api:
    reply = await api.call("POST", "/tokens", {"name": "ci", "scopes": ["read:main"]})
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from fakes.asgi import Inside, sending
from fakes.ask import JSON, Reply
from wheelkeep.core import token_text
from wheelkeep.core.access import read_scope

CONFIG = """
[sources.acme]
kind = "hosted"

[sources.stage]
kind = "hosted"

[sources.wheels]
kind = "directory"
path = "."

[indexes.main]
sources = ["acme", "wheels"]
policy = "policy.toml"
publish = "acme"
read = "token"

[indexes.open]
sources = [["stage", "acme"]]
publish = "stage"
"""
POLICY = '[deny]\npackages = ["demo==6.*"]\nreason = "INC-1"\n'
SCOPES = {
    "admin": ["admin"],
    "publisher": ["publish:acme", "publish:stage"],
    "demo-only": ["publish:acme:demo"],
    "reader": ["read:main"],
    "approver": ["approve"],
    "idle": [],
    "revoked": ["admin"],
    "expired": ["admin"],
}
HELD = "/sources/acme/projects/demo"


class Managed(Inside):
    """A keep with a token of each kind; ``tokens`` are their texts by name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CONFIG)
        (folder / "policy.toml").write_text(POLICY)
        self.tokens: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        now = datetime.now(UTC)
        for name, scopes in SCOPES.items():
            text = self.tokens[name] = token_text.write(os.urandom(token_text.RANDOM_BYTES))
            await self.keep.tokens.add(
                text,
                name=name,
                scopes=tuple(read_scope(scope) for scope in scopes),
                created=now,
                expires=now + timedelta(days=-1 if name == "expired" else 1),
            )
        await self.keep.tokens.revoke("revoked", now)
        return self

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str | None = "admin",
        raw: bytes | None = None,
        **headers: str,
    ) -> Reply:
        """One call below ``/api/v1``; ``raw``: the body's bytes where they are no good JSON."""
        if by is not None:
            headers["authorization"] = f"Bearer {self.tokens[by]}"
        sent = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if sent is not None:
            headers.setdefault("content_type", "application/json")
        receive = sending(sent) if sent is not None else None
        return await self.ask(method, f"/api/v1{path}", receive=receive, **headers)

    async def page(self, project: str = "demo", index: str = "open") -> dict[str, Any]:
        """The project's page as installers see it."""
        reply = await self.get(f"/{index}/simple/{project}/", accept=JSON)
        assert reply.status == 200, reply.body
        return dict(reply.json)
