"""Who asked for what is blocked: the token's name where one was given, else the client's address."""

import re

from wheelkeep.core.names import ProjectName
from wheelkeep.core.verdict import PUT_OFF, Verdict
from wheelkeep.index.asks import Asks
from wheelkeep.index.index import Index
from wheelkeep.logs import get_logger
from wheelkeep.web.auth import Auth
from wheelkeep.web.respond import Request

log = get_logger(__name__)
_TOOL = re.compile(r"[A-Za-z0-9._-]{1,40}")


class Asked:
    """Notes it, and stands in nobody's way: an answer is the same whether or not it could be noted."""

    def __init__(self, asks: Asks, auth: Auth) -> None:
        self._asks = asks
        self._auth = auth

    async def note(
        self,
        request: Request,
        index: Index,
        project: ProjectName,
        verdict: Verdict,
        *,
        version: str = "",
        filename: str = "",
    ) -> None:
        """One ask for a name or, with ``version``, for a version of it."""
        if verdict.code.endswith(PUT_OFF):  # not blocked: only not decided yet
            return
        self._asks.note(
            index.name,
            project,
            version,
            verdict,
            who=await self._who(request),
            filename=filename,
            agent=_tool(request),
        )

    async def _who(self, request: Request) -> str:
        try:
            caller = await self._auth.caller(request)
        except Exception as error:
            log.warning("asker_not_known", request=request.id.decode(), why=type(error).__name__)
            caller = None
        if caller is not None:
            return f"token {caller.name}"
        client = request.scope.get("client")
        return f"address {client[0]}" if client else ""


def _tool(request: Request) -> str:
    """The first word of ``User-Agent``, such as ``pip`` or ``uv``."""
    found = _TOOL.match(request.header(b"user-agent") or "")
    return found[0] if found else ""
