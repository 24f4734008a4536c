"""The description of the API: OpenAPI 3.1 (spec.openapis.org), made from the operations: it cannot lag behind."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from wheelkeep import __version__
from wheelkeep.web.api.operation import PARTS, Operation

_REF = "#/components/schemas/{name}"
_REFUSALS = {
    400: "What came cannot be read, or says what cannot be.",
    401: "A token is needed: there is none, or it is unknown, expired or revoked.",
    403: "The token lacks the scope, or the project is owned by others.",
    404: "There is no such thing.",
    405: "Another method is answered here: see `Allow`.",
    408: "The body broke off before its end.",
    409: "All is well with the request, but not with what it is about; nothing was done.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    429: "Too many wrong tokens came from this address: see `Retry-After`.",
    503: "Not to be had at the moment: see `Retry-After`.",
}
_ABOUT = (
    "Everything here needs a token, as HTTP Basic with the user `__token__` or as Bearer; each operation names the "
    "scope that it needs, and `admin` does for all. "
    "Bodies are JSON of at most 1 MB, but for a lock, which is sent as it is. "
    "Every refusal is a problem document (RFC 9457). "
    "A list is cut into pages: give its `next` as `after` (in the ledger: `before`) to get the page that follows."
)


class Problem(Struct, frozen=True, kw_only=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


def describe(operations: Sequence[Operation], public_url: str | None) -> dict[str, Any]:
    """The whole document, ready to be written as JSON."""
    kinds: dict[type[Struct], None] = {Problem: None}
    for operation in operations:
        kinds |= {kind: None for kind in (operation.takes, operation.gives) if kind is not None}
    _, schemas = msgspec.json.schema_components(list(kinds), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(f"/api/v1{operation.path}", {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "wheelkeep", "version": __version__, "description": _ABOUT},
        "servers": [{"url": public_url or "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(code): _refusal(code) for code in _REFUSALS},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.says,
        "tags": [operation.path.split("/")[1]],
        "x-scope": operation.needs.text,
        "security": [{"bearer": []}, {"basic": []}],
        "parameters": [*(_part(part) for part in operation.parts), *_query(operation)],
        "responses": {
            str(operation.status): {
                "description": "Done." if operation.method != "GET" else "What was asked for.",
                "content": {"application/json": {"schema": _schema(operation.gives)}},
            }
        },
    }
    if operation.raw is not None:
        told["requestBody"] = {"content": {"application/octet-stream": {}}}
    if operation.takes is not None:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(operation.takes)}},
        }
    for code in sorted(_codes(operation)):
        told["responses"][str(code)] = {"$ref": f"#/components/responses/{code}"}
    return told


def _codes(operation: Operation) -> set[int]:
    codes = {401, 403, 405, 429, 503, *operation.refuses}
    if operation.parts:
        codes |= {404}
    if operation.query is not None:
        codes |= {400}
    if operation.raw is not None:
        codes |= {400, 408, 413}
    if operation.takes is not None:
        codes |= {400, 408, 413, 415}
    return codes


def _part(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": PARTS[name][1],
        "schema": {"type": "string"},
    }


def _query(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    _, schemas = msgspec.json.schema_components([operation.query], ref_template=_REF)
    schema = schemas[operation.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": _description(each),
            "schema": each,
        }
        for name, each in schema["properties"].items()
    ]


def _description(schema: dict[str, Any]) -> str:
    """What a parameter means, also where its schema is one of several."""
    told = schema.get("description") or next(
        (each["description"] for each in schema.get("anyOf", ()) if "description" in each), ""
    )
    return str(told)


def _schema(kind: type[Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}


def _refusal(code: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": _REFUSALS[code],
        "content": {"application/problem+json": {"schema": _schema(Problem)}},
    }
    if code in (429, 503):
        told["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    if code == 405:
        told["headers"] = {"Allow": {"schema": {"type": "string"}}}
    if code == 401:
        told["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return told
