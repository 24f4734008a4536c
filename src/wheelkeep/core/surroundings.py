"""What a configuration's text cannot know: its folder, the secrets behind it, the public index's address."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.settings import Secret
from wheelkeep.core.toml_source import Table


class Surroundings(Struct, frozen=True, kw_only=True):
    """Given by whoever reads the file: core opens nothing itself."""

    base: Path
    """The folder of the configuration file, absolute."""
    secret: Callable[[str], str]
    """``env:NAME`` or ``file:/absolute/path`` to its value; raises KeyError, OSError or ValueError."""
    pypi_url: str
    """What the word ``pypi`` stands for: the simple index's URL."""

    def path(self, text: str) -> Path:
        """A path as written, relative to the configuration file; raises ValueError with a sentence."""
        if any(ord(letter) < 32 for letter in text):
            raise ValueError("is not a path: it holds a control character")
        try:
            return self.base / Path(text).expanduser()
        except RuntimeError:
            raise ValueError(f'"{text[:80]}" has no home folder: write the whole path') from None

    def credential(self, table: Table, key: str) -> Secret | None:
        """The secret that a key points to or, with a warning, holds. No mistake ever repeats the value."""
        written = table.text(key)
        if written is None:
            return None
        scheme, _, place = written.partition(":")
        if scheme not in ("env", "file"):
            table.warn(key, 'is written in the file itself: "env:NAME" or "file:PATH" would keep it out')
            return self._checked(table, key, written, "it")
        if not place:
            table.wrong(key, 'names nothing after the colon: write "env:NAME" or "file:PATH"')
            return None
        shown = f"the environment variable {place}" if scheme == "env" else f"the file {place}"
        try:
            reference = written if scheme == "env" else f"file:{self.path(place)}"
            value = self.secret(reference)
        except KeyError:
            table.wrong(key, f"{shown} is not set")
        except OSError as error:
            table.wrong(key, f"{shown} cannot be read: {error.strerror or 'no reason given'}")
        except ValueError:  # its text may quote what was read, so it is not shown
            table.wrong(key, f"{shown} does not hold plain text")
        else:
            return self._checked(table, key, value, shown)
        return None

    def _checked(self, table: Table, key: str, value: str, shown: str) -> Secret | None:
        value = value.rstrip("\r\n")  # files made with an editor end with a line break that nobody means
        if not value.strip():
            table.wrong(key, f"{shown} is empty")
        elif not value.isprintable():
            table.wrong(key, f"{shown} holds a line break or control character, which no credential can")
        else:
            return Secret(value)
        return None
