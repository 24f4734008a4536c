"""Every address that we print, and how the paths that come in are read. Nothing a client sends is one."""

import re

from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.core.settings import Settings
from wheelkeep.web.respond import Request

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?", re.ASCII)


def base(settings: Settings) -> str:
    """What a person types before ``/{index}/``; where it listens, unless it is told what it is called outside."""
    if settings.public_url is not None:
        return settings.public_url
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def files_base(public_url: str | None, index: str, *, alias: bool) -> str:
    """What stands before ``{project}/{sha256}/{filename}`` in links on a page at ``/{index}/simple/{project}/``.

    ``index`` is an index's name, or the path of a stage.

    Relative without a public URL, so that the keep works under any name; ``alias``: the page is at
    ``/simple/{project}/``.
    """
    return f"{_up(public_url, index, alias=alias)}files/"


def provenance_base(public_url: str | None, index: str, *, alias: bool) -> str:
    return f"{_up(public_url, index, alias=alias)}integrity/"


def json_files_base(public_url: str | None, index: str, *, depth: int) -> str:
    """The same for the legacy JSON; ``depth``: how many parts its address has behind the index."""
    return f"{public_url}/{index}/files/" if public_url is not None else "../" * (depth - 1) + "files/"


def _up(public_url: str | None, index: str, *, alias: bool) -> str:
    if public_url is not None:
        return f"{public_url}/{index}/"
    return f"../../{index}/" if alias else "../../"


def upload_root(origin: str, index: str) -> str:
    """The root of the Upload API 2.0 of an index; a session's address is this and its id."""
    return f"{origin}/{index}/upload/2.0/"


def stage(index: str, token: str) -> str:
    """What stands before the addresses of a stage, without slashes around it."""
    return f"{index}/stage/{token}"


def origin(request: Request, public_url: str | None) -> str:
    """What an absolute address here begins with: the public URL, or where the client says that it asked."""
    if public_url is not None:
        return public_url
    host = request.header(b"host") or ""
    if not _HOST.fullmatch(host):
        name, port = request.scope.get("server") or ("127.0.0.1", 80)
        host = f"[{name}]:{port}" if ":" in str(name) else f"{name}:{port}"
    return f"{request.scope.get('scheme', 'http')}://{host}"


def file(base: str, project: ProjectName, sha256: str | None, filename: str) -> str:
    # A plain file name has only letters that may stand in a path as they are (RFC 3986 3.3).
    return f"{base}{project}/{sha256 or '-'}/{filename}"


def statement(file: File) -> str:
    """From ``/{index}/project/{name}/`` to what this keep states of a wheel that it built."""
    return f"../../built/{file.project}/{file.sha256}/{file.filename}"


def provenance(base: str, project: ProjectName, version: str, filename: str) -> str:
    return f"{base}{project}/{version}/{filename}/provenance"


def blocked_from_file(gate: str, words: str, filename: str) -> str:
    """From ``/{index}/files/{project}/{sha256}/{filename}`` to where its block is explained."""
    return f"../../../blocked/{gate}/{words}/{filename}"


def blocked_from_packages(gate: str, words: str, filename: str) -> str:
    """From ``/{index}/packages/aa/bb/{rest}/{filename}`` to where its block is explained."""
    return f"../../../../blocked/{gate}/{words}/{filename}"


def snapshot(origin: str, index: str, name: str, number: int) -> str:
    """Where installers find one state of a snapshot, whichever become newer."""
    return f"{origin}/{index}@{name}~{number}/simple/"


def audience(public_url: str) -> str:
    return f"{public_url}/_/oidc/audience"


def mint_token(public_url: str) -> str:
    return f"{public_url}/_/oidc/mint-token"
