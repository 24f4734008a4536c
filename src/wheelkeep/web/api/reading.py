"""Reading what a caller sent: JSON and queries into structs. Nothing is guessed, nothing is passed over."""

import json
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from wheelkeep.core.nearest import suggestion

_MOST_PARAMETERS = 50
T = TypeVar("T", bound=Struct)


class UnreadableError(ValueError):
    """What came is not what the operation takes; the text says where and why."""


def read_body(body: bytes, kind: type[T]) -> T:
    """A JSON object as a struct; raises UnreadableError. A name that stands twice is refused: which one counts
    would be anybody's guess (RFC 8259 4)."""
    try:
        found = json.loads(body.decode(), object_pairs_hook=_once)
    except RecursionError:
        raise UnreadableError("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise UnreadableError("the body is not UTF-8") from None
    except UnreadableError:
        raise
    except ValueError as error:
        raise UnreadableError(f"the body is not JSON: {str(error)[:120]}") from None
    if not isinstance(found, dict):
        raise UnreadableError("the body must be a JSON object")
    _known(found, kind, "the body has")
    try:
        # Read once more, strictly: the reader above takes NaN, and half of a pair of surrogates.
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableError(_said(error)) from None


def read_query(query: bytes, kind: type[T]) -> T:
    """A query, each parameter once, as a struct; raises UnreadableError."""
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
        told = _once(pairs)
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError("the query cannot be read") from None
    _known(told, kind, "the query has")
    try:
        return msgspec.convert(told, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"the query: {_said(error)}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise UnreadableError(f'"{_short(name)}" stands there twice')
        found[name] = value
    return found


def _known(told: dict[str, Any], kind: type[Struct], where: str) -> None:
    known = kind.__struct_encode_fields__
    for name in told:
        if name not in known:
            hint = suggestion(name[:80], known)
            raise UnreadableError(f'{where} "{_short(name)}", which is not known: {hint}')


def _said(error: Exception) -> str:
    text = str(error)[:300]
    # An encoder that meets what is no text must not fail over our own answer.
    return text.encode("utf-8", "replace").decode()


def _short(name: str) -> str:
    return name[:80].encode("utf-8", "replace").decode()
