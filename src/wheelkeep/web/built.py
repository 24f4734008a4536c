"""What this keep states of the wheels that it built: one signed statement a wheel, read as the wheel itself is.

    /{index}/built/{project}/{sha256}/{filename}

Of several builds with the same bytes it is the newest's. Nothing is told here of a build whose requirements came from
another index that needs a token: they would name what that index holds.
"""

import hashlib

import msgspec

from wheelkeep.core.errors import InvalidName
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import Unreachable
from wheelkeep.core.names import ProjectName, filename, project
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.store.builds import Stated
from wheelkeep.web import problem, urls
from wheelkeep.web.respond import SAFE, Headers, Request, Response
from wheelkeep.web.simple import conditional

_NONE = "no wheel with this sha256 was built here"
_HEADERS: Headers = (
    (b"content-type", b"application/vnd.dsse.envelope.v1+json"),
    (b"cache-control", b"no-cache"),
    *SAFE,
)


class BuiltWheels:
    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    async def statement(self, request: Request, index: Index, parts: list[str]) -> Response:
        """The envelope (DSSE) of the newest build of the file."""
        if len(parts) != 3 or not urls.SHA256.fullmatch(parts[1]):
            return problem.not_found(request, "a statement's address is built/{project}/{sha256}/{filename}")
        text, sha256, name = parts
        try:
            owner = project(text)
            filename(name, owner)
        except InvalidName as error:
            return problem.not_found(request, str(error))
        view = await index.page(owner)
        if isinstance(view, Unreachable):
            return problem.unreachable(request, view)
        if isinstance(view, Nowhere):
            return problem.no_project(request, owner)
        entry = view.by_name.get(name)
        if entry is None or entry[0].sha256 != sha256:
            return problem.not_found(request, _NONE)
        found = [one for one in await told(self._keep, index, owner) if one.built.sha256 == sha256]
        if not found:
            return problem.not_found(request, _NONE)
        body = msgspec.json.encode(found[0].envelope)
        etag = f'"{hashlib.sha256(body).hexdigest()}"'.encode()
        return conditional(request, etag, (*_HEADERS, (b"etag", etag)), body)


async def told(keep: Keep, index: Index, owner: ProjectName) -> list[Stated]:
    """The builds of a project that readers of an index may know of, the newest first."""
    return [
        one
        for one in await keep.builds.of_project(owner)
        if one.built.index == index.name
        or ((other := keep.indexes.get(one.built.index)) is not None and not other.closed)
    ]
