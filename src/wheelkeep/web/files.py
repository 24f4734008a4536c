"""Files: the page flow, then the verdict of that file, then its bytes. One path for all addresses of a file."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from urllib.parse import unquote

from msgspec.structs import replace

from wheelkeep.core import measures, names
from wheelkeep.core.errors import FileMissing, InvalidName, Unanswered
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.negotiate import etag_matches, parse_range
from wheelkeep.core.verdict import Decision, Verdict
from wheelkeep.index.fetch import Stored
from wheelkeep.index.fill import NotKept
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.sources.source import PATIENCE_FILE
from wheelkeep.store.hashing import hash_all
from wheelkeep.web import problem, urls
from wheelkeep.web.asked import Asked
from wheelkeep.web.respond import SAFE, Answer, FileResponse, Headers, Request, Response, StreamResponse
from wheelkeep.web.simple import conditional, project_of, redirect

_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK_AGAIN = (b"cache-control", b"no-cache")
_METADATA = ".metadata"
_HASHED = re.compile(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/\n]*\n")
_DIGEST = "blake2b_256"
_MOST_DIGESTS = 4096


class Files:
    """Bytes of files, of whichever index."""

    def __init__(self, keep: Keep, asked: Asked) -> None:
        self._keep = keep
        self._asked = asked
        self._digests: dict[str, str] = {}
        """What PyPI's paths are made of, by sha256: of files that were asked for under such a path."""

    async def file(self, request: Request, index: Index, parts: list[str]) -> Answer:
        """``/{index}/files/{project}/{sha256}/{filename}`` and ``….metadata``; ``-`` for a sha256 not told yet."""
        if len(parts) != 3:
            return problem.not_found(request, "a file's address is files/{project}/{sha256}/{filename}")
        text, sha256, filename = parts
        project = project_of(text)
        if project is None or not (sha256 == "-" or urls.SHA256.fullmatch(sha256)):
            return problem.not_found(request, "a file's address is files/{project}/{sha256}/{filename}")
        of_metadata = filename.endswith(_METADATA)
        filename = filename.removesuffix(_METADATA)
        found = await self.find(request, index, project, filename, urls.blocked_from_file)
        if not isinstance(found, tuple):
            return found
        file, decision = found
        against = decision.against
        if sha256 not in ("-", file.sha256):
            return problem.not_found(request, f"{filename} is not known with the sha256 {sha256}")
        if of_metadata:
            return await self._metadata(request, file, blocked=against is not None)
        if against is not None:
            return await self.refuse(request, index, file, against, urls.blocked_from_file)
        return await self._give(request, index, file, decision, urls.blocked_from_file, told=sha256 != "-")

    async def package(self, request: Request, index: Index, parts: list[str]) -> Answer:
        """``/{index}/packages/aa/bb/{rest}/{filename}``: the file under the path that PyPI gives it."""
        filename = parts[-1].removesuffix(_METADATA)
        project = names.owner_of(filename)
        if len(parts) != 4 or project is None:
            return problem.not_found(request, "a file's address is packages/aa/bb/{rest}/{filename}")
        found = await self.find(request, index, project, filename, urls.blocked_from_packages)
        if not isinstance(found, tuple):
            return found
        file, decision = found
        against = decision.against
        try:
            if not await self._lies_at(file, parts[:3], may_fetch=against is None):
                return problem.not_found(request, f"{filename} is not known under this path")
        except FileMissing as error:
            return problem.not_found(request, str(error))
        except Unanswered as error:
            return problem.unavailable(request, error.reason, retry_after=error.retry_after)
        if parts[-1].endswith(_METADATA):
            return await self._metadata(request, file, blocked=against is not None)
        if against is not None:
            return await self.refuse(request, index, file, against, urls.blocked_from_packages)
        return await self._give(request, index, file, decision, urls.blocked_from_packages, told=True)

    async def _lies_at(self, file: File, folders: list[str], *, may_fetch: bool) -> bool:
        """Whether PyPI has a file in these folders, which are the BLAKE2b-256 of its bytes in hex, cut in three.

        A page may say so by its link; of a file from anywhere else its bytes do. Raises FileMissing or Unanswered.
        """
        asked, link = "/".join(folders), unquote(file.url.split("?")[0])
        if link.endswith(f"/packages/{asked}/{file.filename}"):
            return True
        if _HASHED.search(f"{link}\n") is not None or _HASHED.fullmatch(f"/packages/{asked}/\n") is None:
            return False
        stored = await self._keep.fetcher.sound(file, patience=PATIENCE_FILE)
        if stored is None and may_fetch:
            stored = await self._keep.fetcher.soon(self._keep.source_of(file), file)
        if stored is None:
            return False
        if (known := self._digests.get(stored.path.name)) is None:
            try:
                known = (await asyncio.to_thread(hash_all, stored.path, (_DIGEST,)))[0][_DIGEST]
            except OSError as error:
                raise Unanswered(
                    f"{file.filename} cannot be read now: {error.strerror}", retry_after=5
                ) from None
            if len(self._digests) >= _MOST_DIGESTS:
                self._digests.clear()
            self._digests[stored.path.name] = known
        return known == asked.replace("/", "")

    async def explain_block(self, request: Request, index: Index, parts: list[str]) -> Response:
        """``/{index}/blocked/{gate}/{words}/{filename}``: the reason as it stands now."""
        if len(parts) != 3:
            return problem.not_found(request, "the address of a block is blocked/{gate}/{words}/{filename}")
        gate, words, filename = parts
        project = names.owner_of(filename)
        try:
            if project is None:
                raise InvalidName(filename)
            names.filename(filename, project)
        except InvalidName:
            return problem.not_found(request, "this is not the name of a distribution's file")
        view = await index.decided(project, filename)
        if isinstance(view, View):
            if view.unlisted is not None:
                return problem.blocked(request, view.unlisted, filename)
            if (entry := view.by_name.get(filename)) is not None:
                against = entry[1].against
                if against is not None:
                    return problem.blocked(request, against, filename)
                return problem.no_longer_blocked(request, filename)
        return problem.unknown_block(request, gate, words, filename)

    async def find(
        self,
        request: Request,
        index: Index,
        project: ProjectName,
        filename: str,
        blocked_at: Callable[[str, str, str], str],
    ) -> tuple[File, Decision] | Response:
        """The file, if the page has it, and what the policy says of it; else the answer to send."""
        view = await index.decided(project, filename)
        if isinstance(view, Unreachable):
            return problem.unreachable(request, view)
        if isinstance(view, Nowhere):
            return problem.no_project(request, project)
        if view.unlisted is not None:
            self._keep.tally.add(measures.blocked(view.unlisted.gate))
            await self._note_unlisted(request, index, project, filename, view.unlisted)
            return redirect(
                blocked_at(view.unlisted.gate, view.unlisted.words, filename), request, status=302
            )
        entry = view.by_name.get(filename)
        if entry is None:
            return problem.not_found(request, f"{project} has no file {filename[:200]} in this index")
        return entry

    async def _note_unlisted(
        self, request: Request, index: Index, project: ProjectName, filename: str, verdict: Verdict
    ) -> None:
        try:
            version = names.filename(filename, project).version
        except InvalidName:
            return  # nothing that anybody could be given
        await self._asked.note(request, index, project, verdict, version=version, filename=filename)

    async def refuse(
        self,
        request: Request,
        index: Index,
        file: File,
        against: Verdict,
        blocked_at: Callable[[str, str, str], str],
    ) -> Response:
        """To where its block is explained; the refusal is noted."""
        self._keep.tally.add(measures.blocked(against.gate))
        self._keep.book.blocked(index.name, file, against, request.asker)
        await self._asked.note(
            request, index, file.project, against, version=file.version, filename=file.filename
        )
        return redirect(blocked_at(against.gate, against.words, file.filename), request, status=302)

    async def _metadata(self, request: Request, file: File, *, blocked: bool) -> Response:
        source = self._keep.source_of(file)
        try:
            body = await self._keep.metadata.get(source, file, may_fetch=not blocked)
        except FileMissing as error:
            return problem.not_found(request, str(error))
        except Unanswered as error:
            return problem.unavailable(request, error.reason, retry_after=error.retry_after)
        if body is None:
            return problem.not_found(request, f"{file.filename} has no metadata that can be read")
        # Not for ever: it may have come from the source, and the wheel's own takes its place.
        headers: Headers = ((b"content-type", b"text/plain; charset=utf-8"), _ASK_AGAIN, *SAFE)
        etag = f'"{hashlib.sha256(body).hexdigest()}"'.encode()
        return conditional(request, etag, (*headers, (b"etag", etag)), body)

    async def _give(
        self,
        request: Request,
        index: Index,
        file: File,
        decision: Decision,
        blocked_at: Callable[[str, str, str], str],
        *,
        told: bool,
    ) -> Answer:
        """The bytes of an admitted file, unless they are more than its page told and the policy allows."""
        answer = await self._bytes(request, file, told=told)
        size = answer.length if isinstance(answer, StreamResponse) else None
        if isinstance(answer, FileResponse):
            size = answer.size
        if (verdict := index.policy.current.oversized(file, size, datetime.now(UTC))) is not None:
            if isinstance(answer, StreamResponse):
                await answer.close()
            return await self.refuse(request, index, file, verdict, blocked_at)
        return await self.noted(request, index, file, decision, answer)

    async def noted(
        self, request: Request, index: Index, file: File, decision: Decision, answer: Answer
    ) -> Answer:
        """The same answer, once it is on record that its bytes are sent: no byte leaves before."""
        if request.method != "GET" or answer.status not in (200, 206):
            return answer
        tally = self._keep.tally
        tally.add(measures.FETCHES)
        if isinstance(answer, FileResponse):
            tally.add(measures.STORED_FILES)
        if self._keep.fetch_book.behind:
            tally.add(measures.LATE_FETCHES)
        # Of a file whose hash no page told the store knows it once the bytes are there.
        sha256 = file.sha256 or (answer.path.name if isinstance(answer, FileResponse) else None)
        try:
            await self._keep.fetch_book.note(
                index.name,
                file,
                decision,
                request.asker,
                sha256=sha256,
                partial=answer.status == 206,
            )
        except BaseException:
            if isinstance(answer, StreamResponse):
                await answer.close()
            raise
        return await _begun(request, answer) if isinstance(answer, StreamResponse) else answer

    async def _bytes(self, request: Request, file: File, *, told: bool) -> Answer:
        etag = f'"{file.sha256}"' if file.sha256 is not None else None
        headers: Headers = (
            (b"content-type", b"application/octet-stream"),
            (b"accept-ranges", b"bytes"),
            _FOR_EVER if told and etag is not None else _ASK_AGAIN,
            *SAFE,
        )
        if etag is not None:
            headers = (*headers, (b"etag", etag.encode()))
            if etag_matches(request.header(b"if-none-match"), etag):
                return Response(304, headers[2:])
        fetcher, source = self._keep.fetcher, self._keep.source_of(file)
        asked_range = request.header(b"range")
        try:
            if (stored := await fetcher.sound(file, patience=PATIENCE_FILE)) is not None:
                return stored_answer(request, stored, headers, etag)
            if request.method == "HEAD":
                return _head(headers, file.size)
            if asked_range is not None:
                # Where the disk takes no file there are no ranges of it: a server may ignore that they are asked for.
                with contextlib.suppress(NotKept):
                    return stored_answer(request, await fetcher.soon(source, file), headers, etag)
            got = await fetcher.get(source, file)
        except FileMissing as error:
            return problem.not_found(request, str(error))
        except Unanswered as error:
            return problem.unavailable(request, error.reason, retry_after=error.retry_after)
        if isinstance(got, Stored):
            return stored_answer(request, got, headers, etag)
        return StreamResponse(200, headers, got.chunks(), got.length, got.close)


async def _begun(request: Request, answer: StreamResponse) -> Answer:
    """The same answer with its first piece in hand: of a download that failed while its line was written nothing
    was sent, and the client can still be told why."""
    try:
        first = await anext(answer.chunks, b"")
    except BaseException as error:
        await answer.close()
        if isinstance(error, FileMissing):
            return problem.not_found(request, str(error))
        if isinstance(error, Unanswered):
            return problem.unavailable(request, error.reason, retry_after=error.retry_after)
        raise
    return replace(answer, chunks=_after(first, answer.chunks))


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in rest:
        yield piece


def _head(headers: Headers, size: int | None) -> StreamResponse:
    """The head of a file that is not here yet: nothing is fetched for it, and no length is told that is not known."""
    return StreamResponse(200, headers, _nothing(), size, _leave)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""  # makes this a generator


async def _leave() -> None:
    """There is nothing to close."""


def stored_answer(request: Request, stored: Stored, headers: Headers, etag: str | None) -> Answer:
    """The whole file or the range that is asked for (RFC 9110 14); a range of other bytes is not given (13.1.5)."""
    if_range = request.header(b"if-range")
    asked = request.header(b"range") if if_range is None or if_range.strip() == etag else None
    span = parse_range(asked, stored.size)
    if span == "unsatisfiable":
        return problem.problem(
            request,
            416,
            "Range not satisfiable",
            f"the file has {stored.size} bytes",
            headers=((b"content-range", f"bytes */{stored.size}".encode()),),
        )
    if span is None:
        return FileResponse(200, headers, stored.path, stored.size)
    told = (b"content-range", f"bytes {span.start}-{span.end - 1}/{stored.size}".encode())
    return FileResponse(206, (*headers, told), stored.path, stored.size, span)
