"""On which line of a TOML text each key stands, and where its arrays, strings and tables lie. tomllib does not tell;
here is only what finding them needs.

The text has already been accepted by tomllib, so nothing is checked: where this scanner is lost it stops, and
the lines found so far stand. Grammar: https://toml.io/en/v1.0.0.
"""

import re
import tomllib
from bisect import bisect_left
from contextlib import suppress
from typing import TypeAlias

from msgspec import Struct

KeyPath: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Longest opening first: three quotes are also one quote and an empty string.
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?""""{0,2}' r"|'''.*?''''{0,2}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN_VALUE = re.compile(r"[^,\]}\n#]+")


class ArraySpan(Struct, frozen=True, kw_only=True):
    """Where an array stands in its text: offsets of characters, ends past the last one."""

    start: int
    """Of the opening bracket."""
    values: tuple[tuple[int, int], ...]
    comma: bool
    """Whether a comma follows the last value."""
    close: int
    """Of the closing bracket."""


def array_spans(text: str) -> dict[KeyPath, ArraySpan]:
    """Every array of the text by its path; those of a text where the scanner is lost as far as it came."""
    scanner = _Scanner(text)
    with suppress(_LostError, RecursionError):
        scanner.document()
    return scanner.arrays


class Layout(Struct, frozen=True):
    """Where strings and tables stand in a text: offsets of characters, ends past the last one."""

    strings: dict[KeyPath, tuple[int, int]]
    """Every string value with its quotes, by its path."""
    tables: tuple[tuple[int, KeyPath], ...]
    """The headers of tables in written order: where the line of each begins, and its path."""


def layout(text: str) -> Layout:
    """Strings and tables of the text, as far as the scanner comes."""
    scanner = _Scanner(text)
    with suppress(_LostError, RecursionError):
        scanner.document()
    return Layout(scanner.strings, tuple(scanner.tables))


def key_lines(text: str) -> dict[KeyPath, int]:
    """The 1-based line of every key, table, array element and table of an array, by its path.

    ``("waiver", 2, "until")`` is the ``until`` of the third ``[[waiver]]``. Keys within inline tables have
    their own line; a value has the line on which its key begins.
    """
    scanner = _Scanner(text)
    try:
        scanner.document()
    except (_LostError, RecursionError):
        return scanner.lines
    return scanner.lines


class _LostError(Exception):
    """Not TOML as this scanner knows it."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.arrays: dict[KeyPath, ArraySpan] = {}
        self.strings: dict[KeyPath, tuple[int, int]] = {}
        self.tables: list[tuple[int, KeyPath]] = []
        self._text = text
        self._at = 0
        self._breaks = [at for at, letter in enumerate(text) if letter == "\n"]
        self._last: dict[KeyPath, int] = {}  # the newest table of each array of tables

    def document(self) -> None:
        table: KeyPath = ()
        while self._peek_past(_BLANK):
            began = self._text.rfind("\n", 0, self._at) + 1
            if self._took("[["):
                table = self._array_table()
                self.tables.append((began, table))
            elif self._took("["):
                line = self._line()
                table = self._resolved(self._key(), line)
                self.lines[table] = line
                self.tables.append((began, table))
                self._expect("]")
            else:
                self._pair(table)

    def _array_table(self) -> KeyPath:
        line = self._line()
        *outer, last = self._key()
        self._expect("]]")
        array = (*self._resolved(outer, line), last)
        number = self._last[array] = self._last.get(array, -1) + 1
        self.lines.setdefault(array, line)
        self.lines[*array, number] = line
        return (*array, number)

    def _resolved(self, key: list[str], line: int) -> KeyPath:
        """A header's key as a path: on the way through an array of tables it means the newest one."""
        path: KeyPath = ()
        for part in key:
            path = (*path, part)
            self.lines.setdefault(path, line)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        if self._took("["):
            self._array(path)
        elif self._took("{"):
            while self._peek_past(_BLANK) and not self._took("}"):
                self._pair(path)
                self._skip(_BLANK)
                self._took(",")
        elif found := _STRING.match(self._text, self._at):
            self.strings[path] = found.span()
            self._at = found.end()
        elif found := _PLAIN_VALUE.match(self._text, self._at):
            self._at = found.end()
        else:
            raise _LostError

    def _array(self, path: KeyPath) -> None:
        start, comma = self._at - 1, False
        values: list[tuple[int, int]] = []
        while self._peek_past(_BLANK) and not self._took("]"):
            self.lines[*path, len(values)] = self._line()
            began = self._at
            self._value((*path, len(values)))
            values.append((began, began + len(self._text[began : self._at].rstrip())))
            self._skip(_BLANK)
            comma = self._took(",")
        self.arrays[path] = ArraySpan(start=start, values=tuple(values), comma=comma, close=self._at - 1)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            if found := _BARE_KEY.match(self._text, self._at):
                parts.append(found[0])
            elif found := _STRING.match(self._text, self._at):
                parts.append(str(tomllib.loads(f"key = {found[0]}")["key"]))
            else:
                raise _LostError
            self._at = found.end()
            self._skip(_SPACE)
            if not self._took("."):
                return parts

    def _skip(self, blank: re.Pattern[str]) -> None:
        if found := blank.match(self._text, self._at):
            self._at = found.end()

    def _peek_past(self, blank: re.Pattern[str]) -> bool:
        self._skip(blank)
        return self._at < len(self._text)

    def _took(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        self._skip(_SPACE)
        if not self._took(token):
            raise _LostError

    def _line(self) -> int:
        return bisect_left(self._breaks, self._at) + 1
