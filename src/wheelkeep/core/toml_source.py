"""A TOML text as a document that knows its lines, and tables that are read key by key.

Nothing stops at the first mistake: a wrong value is noted with its line and reading goes on, so that a person
sees them all at once. What the keys mean lives in read_settings, read_sources and read_policy.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from wheelkeep.core.errors import ConfigError, InvalidName, Mistake
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.toml_lines import KeyPath, key_lines
from wheelkeep.core.units import read_duration, read_size

T = TypeVar("T")
W = TypeVar("W", bound=str)

_PLACE = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class Document:
    """A TOML text, its data, where each key stands, and the mistakes and warnings noted so far.

    ``file`` is the name that mistakes carry. Raises ConfigError when the text is not TOML.
    """

    def __init__(self, text: str, *, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []
        text = text.removeprefix("\ufeff")  # some editors put a mark at the start, which TOML does not know
        self.data: dict[str, Any] = _parsed(text, file)
        self._text = text
        self._lines: dict[KeyPath, int] | None = None

    @property
    def root(self) -> "Table":
        """The table that the whole text is."""
        return Table(self, self.data, ())

    def line(self, path: KeyPath) -> int:
        """The 1-based line of a key, or of the nearest table around it that is written."""
        if (
            self._lines is None
        ):  # looked for once there is something to say: most texts are good, and some are long
            self._lines = key_lines(self._text)
        while path:
            if (line := self._lines.get(path)) is not None:
                return line
            path = path[:-1]
        return 1

    def mistake(self, path: KeyPath, says: str) -> Mistake:
        """A mistake at a key, without noting it."""
        return Mistake(file=self.file, line=self.line(path), key=dotted(path), says=says)

    def wrong(self, path: KeyPath, says: str) -> None:
        """Notes a mistake at a key."""
        self.mistakes.append(self.mistake(path, says))

    def warn(self, path: KeyPath, says: str) -> None:
        """Notes something that is allowed but unwise."""
        self.warnings.append(self.mistake(path, says))

    def settle(self, more: Iterable[Mistake] = ()) -> None:
        """Raises ConfigError with every mistake in the order of the text, if there is one."""
        mistakes = [*self.mistakes, *more]
        if mistakes:
            raise ConfigError(sorted(mistakes, key=lambda mistake: mistake.line or 0))


class Table:
    """One table of a document. Each method asks for one key: None when it is absent, or wrong and noted."""

    def __init__(self, document: Document, data: Mapping[str, Any], path: KeyPath) -> None:
        self.document = document
        self.path = path
        self._data = data
        self._asked: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._data

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys as written, in their order."""
        return tuple(self._data)

    def wrong(self, key: str, says: str, *, element: int | None = None) -> None:
        """Notes a mistake at a key of this table, or at one element of its list."""
        self.document.wrong(self._where(key, element), says)

    def warn(self, key: str, says: str) -> None:
        """Notes something unwise at a key of this table."""
        self.document.warn(self._where(key, None), says)

    def need(self, key: str, why: str) -> None:
        """Notes the absence of a key that must be there; ``why`` says what to write."""
        self._asked[key] = None
        if key not in self._data:
            self.wrong(key, f"is missing: {why}")

    def text(self, key: str) -> str | None:
        """A text that is not blank."""
        value = self._value(key, str, "text in quotes")
        if value is not None and not value.strip():
            self.wrong(key, "is empty: write a value or leave the key out")
            return None
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        value = self._value(key, bool, "true or false, without quotes")
        return default if value is None else value

    def integer(self, key: str, *, least: int | None = None, most: int | None = None) -> int | None:
        """A whole number within bounds, both included."""
        value = self._value(key, int, "a whole number, without quotes")
        if value is None:
            return None
        if (least is not None and value < least) or (most is not None and value > most):
            self.wrong(key, f"is {value}: it must be from {least} to {most}")
            return None
        return value

    def choice(self, key: str, words: Sequence[W], default: W) -> W:
        """One of the words that the key knows."""
        value = self.text(key)
        for word in words:
            if value == word:
                return word
        if value is not None:
            self.wrong(key, f'"{value}" is not a word it knows: {suggestion(value, words)}')
        return default

    def duration(self, key: str) -> timedelta | None:
        """A time such as ``10m`` or ``1h30m``, more than zero."""
        if isinstance(given := self._data.get(key), int) and not isinstance(given, bool):
            self._asked[key] = None
            self.wrong(key, f'needs a unit: write "{given}s", or with m, h, d or w')
            return None
        return self.parsed(key, read_duration)

    def size(self, key: str) -> int | None:
        """A size such as ``500MB``, in bytes."""
        if isinstance(given := self._data.get(key), int) and not isinstance(given, bool):
            self._asked[key] = None
            self.wrong(key, f'needs a unit: write "{given}B", or with KB, MB, GB, KiB, MiB or GiB')
            return None
        return self.parsed(key, read_size)

    def day(self, key: str) -> date | None:
        """A day, as a TOML date or as text; no time of day."""
        self._asked[key] = None
        value = self._data.get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str):
            return self.parsed(key, _read_date)
        if value is not None:
            self.wrong(key, f"must be a date such as 2026-12-31, not {_kind(value)}")
        return None

    def parsed(self, key: str, read: Callable[[str], T]) -> T | None:
        """A text put through ``read``, whose ValueError or InvalidName becomes the mistake."""
        value = self.text(key)
        return None if value is None else self._read(key, None, value, read)

    def texts(self, key: str, *, alone: bool = False) -> tuple[str, ...] | None:
        """A list of texts; with ``alone`` a single text is a list of one."""
        return self.each(key, str, alone=alone)

    def each(self, key: str, read: Callable[[str], T], *, alone: bool = False) -> tuple[T, ...] | None:
        """A list of texts, each put through ``read``; its ValueError or InvalidName is the mistake."""
        given = self._data.get(key)
        if alone and isinstance(given, str):
            one = self.parsed(key, read)
            return None if one is None else (one,)
        if isinstance(given, str):
            self._asked[key] = None
            self.wrong(key, f"must be a list: write [{json.dumps(given, ensure_ascii=False)}]")
            return None
        values = self._value(key, list, "a list of texts")
        if values is None:
            return None
        done: list[T] = []
        for at, value in enumerate(values):
            if not isinstance(value, str):
                self.wrong(key, f"must hold texts in quotes, not {_kind(value)}", element=at)
            elif not value.strip():
                self.wrong(key, "holds an empty text", element=at)
            elif (one := self._read(key, at, value, read)) is not None:
                done.append(one)
        return tuple(done)

    def any(self, key: str) -> Any:
        """Whatever stands there, unchecked; None when it is absent."""
        self._asked[key] = None
        return self._data.get(key)

    def elements(self, key: str) -> list[Any] | None:
        """A list of anything, for keys whose elements are of several kinds."""
        return self._value(key, list, "a list")

    def anything(self, key: str) -> Any:
        """A value of whatever kind, for keys that take several."""
        return self._value(key, object, "a value")

    def table(self, key: str) -> "Table | None":
        """A table under a key."""
        value = self._value(key, dict, f"a table: write [{dotted((*self.path, key))}] above its keys")
        return None if value is None else Table(self.document, value, (*self.path, key))

    def tables(self, key: str) -> tuple["Table", ...]:
        """An array of tables, empty when absent."""
        header = f"[[{dotted((*self.path, key))}]]"
        if isinstance(self._data.get(key), dict):
            self._asked[key] = None
            self.wrong(key, f"may stand there several times: write {header} with two brackets")
            return ()
        values = self._value(key, list, f"tables: write {header} above each")
        if values is None:
            return ()
        for at, value in enumerate(values):
            if not isinstance(value, dict):
                self.wrong(key, f"must hold tables: write {header} above each", element=at)
        tables = enumerate(values)
        return tuple(
            Table(self.document, each, (*self.path, key, at)) for at, each in tables if isinstance(each, dict)
        )

    def entries(self) -> tuple[tuple[str, "Table"], ...]:
        """Every key with the table under it; for tables whose keys are names that the writer chose."""
        found = ((key, self.table(key)) for key in self._data)
        return tuple((key, table) for key, table in found if table is not None)

    def done(self, elsewhere: Mapping[str, str] | None = None) -> None:
        """Notes every key that nobody asked for, with the nearest known one.

        ``elsewhere`` has sentences about keys that are known, but not here.
        """
        known = [key for key in self._asked if not (elsewhere and key in elsewhere)]
        for key in self._data:
            if key in self._asked:
                continue
            if elsewhere and key in elsewhere:
                self.wrong(key, elsewhere[key])
            else:
                self.wrong(key, f"is not a known key: {suggestion(key, known)}")

    def _where(self, key: str, element: int | None) -> KeyPath:
        return (*self.path, key) if element is None else (*self.path, key, element)

    def _value(self, key: str, wanted: type[T], words: str) -> T | None:
        self._asked[key] = None
        value = self._data.get(key)
        # A bool is an int to Python, not to a reader.
        if value is None or (isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))):
            return value
        self.wrong(key, f"must be {words}, not {_kind(value)}")
        return None

    def _read(self, key: str, element: int | None, value: str, read: Callable[[str], T]) -> T | None:
        try:
            return read(value)
        except (ValueError, InvalidName) as error:
            self.wrong(key, str(error), element=element)
            return None


def dotted(path: KeyPath) -> str:
    """A key path as a person writes it: ``indexes.main.pin[0].priority``, quoted where needed."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part)
            written += f".{key}" if written else key
    return written


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(
            [Mistake(file=file, line=None, key="", says="is nested too deeply to be read")]
        ) from None
    except ValueError as error:  # a TOMLDecodeError, or a number that Python refuses for its length
        says = str(error)
        line: int | None = None
        if found := _PLACE.search(says):
            line = int(found[1]) if found[1] else len(text.splitlines()) or 1
            says = says[: found.start()] + (
                f" (column {found[2]})" if found[2] else " (the text ends too early)"
            )
        raise ConfigError([Mistake(file=file, line=line, key="", says=f"this is not TOML: {says}")]) from None


def _read_date(text: str) -> date:
    try:
        if _DAY.fullmatch(text):  # fromisoformat also takes week dates and such, which nobody means
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f'"{text[:40]}" is not a date: write a day such as 2026-12-31')


def _kind(value: object) -> str:
    """What a value is, in words; never the value itself, which may be a secret."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (str, "text"),
        (int, "a number"),
        (float, "a number with a point"),
        (datetime, "a date with a time"),
        (date, "a date"),
        (time, "a time of day"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "that")
