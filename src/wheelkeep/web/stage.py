"""Staged previews (PEP 694): ``/{index}/stage/{session-token}/simple/`` is the index as it would be with the release.

The address is the key: whoever has it sees what is staged, and nobody else does. A closed index wants its token too.
"""

import hashlib
from collections.abc import Awaitable, Callable

from wheelkeep.core.model import File
from wheelkeep.core.negotiate import etag_matches
from wheelkeep.index.fetch import Stored
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.sessions import Stager
from wheelkeep.index.stage import Stage
from wheelkeep.store.sessions import Staged
from wheelkeep.web import problem, urls
from wheelkeep.web.documents import Documents
from wheelkeep.web.files import Files, stored_answer
from wheelkeep.web.respond import SAFE, Answer, Headers, Request, Response, private
from wheelkeep.web.simple import conditional, project_of

_ASK_AGAIN = (b"cache-control", b"no-cache")
Simple = Callable[[Request, Index, list[str]], Awaitable[Answer]]
"""Answers the addresses below ``simple`` of an index."""


class Stages:
    """The stages of all indexes."""

    def __init__(
        self, keep: Keep, stager: Stager, files: Files, documents: Documents, simple: Simple
    ) -> None:
        self._keep = keep
        self._stager = stager
        self._files = files
        self._documents = documents
        self._simple = simple

    async def answer(self, request: Request, index: Index, parts: list[str]) -> Answer:
        """``parts``: those of the path behind ``stage``."""
        session = await self._stager.staged(parts[0]) if parts else None
        if session is None or session.index != index.name:
            return problem.not_found(request, "no session is staged at this address")
        source = self._keep.sources[session.source]
        stage = Stage(self._stager, session, index, source, urls.stage(index.name, session.token))
        match parts[1:]:
            case ["simple", *rest]:
                return private(await self._simple(request, stage.index, rest))
            case ["files", *rest]:
                return private(await self._file(request, stage, rest))
            case ["integrity", *rest]:
                return private(await self._provenance(request, stage, rest))
            case ["blocked", *rest]:
                return await self._files.explain_block(request, stage.index, rest)
        return problem.not_found(request, "a stage has nothing at this address: its pages are below simple/")

    async def _file(self, request: Request, stage: Stage, parts: list[str]) -> Answer:
        filename = parts[-1].removesuffix(".metadata") if parts else ""
        staged = stage.file(filename)
        project = project_of(parts[0]) if len(parts) == 3 else None
        if staged is None or project is None or parts[1] != staged.sha256:
            return await self._files.file(request, stage.index, parts)
        found = await self._files.find(request, stage.index, project, filename, urls.blocked_from_file)
        if not isinstance(found, tuple):
            return found
        file, decision = found
        if file != staged.file:
            return await self._files.file(request, stage.index, parts)
        if parts[-1] != filename:
            return await self._metadata(request, staged)
        if decision.against is not None:
            return await self._files.refuse(
                request, stage.index, file, decision.against, urls.blocked_from_file
            )
        answer = await self._bytes(request, stage, staged, file)
        return await self._files.noted(request, stage.index, file, decision, answer)

    async def _bytes(self, request: Request, stage: Stage, staged: Staged, file: File) -> Answer:
        path = await self._stager.path_of(stage.session, staged)
        if path is None:
            says = f"the staged bytes of {file.filename} are damaged: delete the file and upload it again"
            return problem.unavailable(request, says, retry_after=60)
        etag = f'"{file.sha256}"'
        # Not for ever: what is staged can be taken back.
        told: Headers = ((b"etag", etag.encode()), _ASK_AGAIN, *SAFE)
        if etag_matches(request.header(b"if-none-match"), etag):
            return Response(304, told)
        headers = ((b"content-type", b"application/octet-stream"), (b"accept-ranges", b"bytes"), *told)
        return stored_answer(request, Stored(path, staged.size), headers, etag)

    async def _metadata(self, request: Request, staged: Staged) -> Answer:
        body = (await self._stager.beside(staged)).metadata
        if body is None:
            return problem.not_found(request, f"{staged.filename} has no metadata beside it")
        etag = f'"{hashlib.sha256(body).hexdigest()}"'.encode()
        kind = (b"content-type", b"text/plain; charset=utf-8")
        return conditional(request, etag, (kind, (b"etag", etag), _ASK_AGAIN, *SAFE), body)

    async def _provenance(self, request: Request, stage: Stage, parts: list[str]) -> Answer:
        staged = stage.file(parts[2]) if len(parts) == 4 and parts[3] == "provenance" else None
        right = staged is not None and parts[:2] == [stage.session.project, stage.session.version]
        body = (await self._stager.beside(staged)).provenance if staged is not None and right else None
        if body is None:
            return await self._documents.provenance(request, stage.index, parts)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        kind = (b"content-type", b"application/vnd.pypi.integrity.v1+json")
        return conditional(request, etag, (kind, (b"etag", etag), _ASK_AGAIN, *SAFE), body)
