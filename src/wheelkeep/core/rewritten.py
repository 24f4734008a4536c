"""What rewriting a lock gives, and how strings of a TOML text are exchanged without touching anything else."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.toml_lines import KeyPath, layout

SOURCE = "wheelkeep"
"""What the source is called in a project's files, as ``client`` prints it."""
MARK = "\ufeff"
"""What some editors put at the start of a text."""


class Rewritten(Struct, frozen=True, kw_only=True):
    """A lock as it is to be written."""

    text: str
    changed: int
    """Addresses that are others now."""
    left: tuple[str, ...] = ()
    """What was left as it was, a sentence each."""


class Address(Struct, frozen=True):
    """Where an index of ours is: ``https://packages.acme.example/main``."""

    base: str

    @property
    def simple(self) -> str:
        """Of its pages."""
        return f"{self.base}/simple/"

    def file(self, project: str, sha256: str | None, filename: str) -> str:
        """Of one file; it holds whichever source the file comes from."""
        return f"{self.base}/files/{project}/{sha256 or '-'}/{filename}"


def data_of(text: str) -> dict[str, Any]:
    """A TOML text that was read before."""
    return tomllib.loads(text.removeprefix(MARK))


def replaced(
    path: str,
    text: str,
    wanted: Mapping[KeyPath, str],
    inserted: Iterable[tuple[int, str]] = (),
    expected: dict[str, Any] | None = None,
) -> str:
    """The TOML text with other strings at some keys, and with text put in at some offsets.

    ``expected``: what it says then, where more than the strings changes. Raises ConfigError where that cannot be done.
    """
    bare = text.removeprefix(MARK)
    meant = data_of(bare) if expected is None else expected
    found = layout(bare).strings
    edits = [(at, at, words) for at, words in inserted]
    for key, value in wanted.items():
        if key not in found:
            raise _beyond(path)
        edits.append((*found[key], quoted(value)))
        put(meant, key, value)
    pieces, end = [text[: len(text) - len(bare)]], 0
    for start, stop, words in sorted(edits):
        pieces += [bare[end:start], words]
        end = stop
    after = "".join([*pieces, bare[end:]])
    try:
        if data_of(after) == meant:
            return after
    except ValueError:
        pass
    raise _beyond(path)


def put(data: Any, path: KeyPath, value: str) -> None:
    """Sets what stands at a path."""
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


def quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False)


def _beyond(path: str) -> ConfigError:
    says = "it is not laid out as the tools write it, so nothing could be exchanged: lock anew"
    return ConfigError([Mistake(path, None, "", says)])
