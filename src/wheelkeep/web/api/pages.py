"""The two addresses of the API that everybody may read: its description, as JSON and as a page without a script."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import msgspec

from wheelkeep.web.respond import SAFE, SAFE_HTML, Response
from wheelkeep.web.template import Template


class Pages:
    """Both are made when they are first asked for: most workers are never asked."""

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        self._describe = describe

    def description(self) -> Response:
        headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-cache"), *SAFE)
        return Response(200, headers, self._json)

    def docs(self) -> Response:
        headers = (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            *SAFE_HTML,
        )
        return Response(200, headers, self._html)

    @cached_property
    def _json(self) -> bytes:
        return msgspec.json.encode(self._describe())

    @cached_property
    def _html(self) -> bytes:
        return Template("api.html", tight=True, spelt=_spelt).render(api=self._describe()).encode()


def _spelt(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_spelt(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_spelt(schema.get('items', {}))}"
    if "format" in schema:
        return str(schema["format"])
    return str(schema.get("type", "anything"))
