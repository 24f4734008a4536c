"""On which line of a TOML text each key stands. tomllib does not tell; here is only what finding keys needs.

The text has already been accepted by tomllib, so nothing is checked: where this scanner is lost it stops, and
the lines found so far stand. Grammar: https://toml.io/en/v1.0.0.
"""

import re
import tomllib
from bisect import bisect_left
from typing import TypeAlias

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
        self._text = text
        self._at = 0
        self._breaks = [at for at, letter in enumerate(text) if letter == "\n"]
        self._last: dict[KeyPath, int] = {}  # the newest table of each array of tables

    def document(self) -> None:
        table: KeyPath = ()
        while self._peek_past(_BLANK):
            if self._took("[["):
                table = self._array_table()
            elif self._took("["):
                line = self._line()
                table = self._resolved(self._key(), line)
                self.lines[table] = line
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
        elif found := _STRING.match(self._text, self._at) or _PLAIN_VALUE.match(self._text, self._at):
            self._at = found.end()
        else:
            raise _LostError

    def _array(self, path: KeyPath) -> None:
        number = 0
        while self._peek_past(_BLANK) and not self._took("]"):
            self.lines[*path, number] = self._line()
            self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            self._took(",")

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
