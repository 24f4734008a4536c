"""The lines of a requirements file as pip makes them: decoded, joined, without comments, parted into words and options.

What the lines mean lives in ``lock_requirements``. The format: https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

import codecs
import re
import shlex
from collections.abc import Iterator

from msgspec import Struct

# The longer mark first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_FLAGS = frozenset(
    {"--no-index", "--pre", "--prefer-binary", "--require-hashes", "--always-unzip", "--no-deps"}
)
_SHORT = {
    "-i": "--index-url",
    "-f": "--find-links",
    "-e": "--editable",
    "-r": "--requirement",
    "-c": "--constraint",
}
_VALUED = frozenset(
    {
        "--index-url", "--pypi-url", "--extra-index-url", "--find-links", "--no-binary", "--only-binary",
        "--trusted-host", "--use-feature", "--editable", "--requirement", "--constraint", "--hash",
        "--config-settings", "--config-setting", "--global-option", "--install-option", "--uploaded-prior-to",
        "--all-releases", "--only-final",
    }
)  # fmt: skip


class RequirementLine(Struct, frozen=True):
    """One whole line."""

    number: int
    """Of its first written line, from 1."""
    words: str
    """The requirement; empty for a line of options."""
    options: tuple[tuple[str, str], ...]
    """Long names and values, in written order."""

    def values(self, option: str) -> tuple[str, ...]:
        """All values given to one option."""
        return tuple(value for name, value in self.options if name == option)


class BadLine(ValueError):
    """A line that pip would not take either."""

    def __init__(self, number: int, says: str) -> None:
        super().__init__(says)
        self.number = number


def decoded(content: bytes) -> str:
    """The text, by its mark, by the coding that one of its first two lines tells (PEP 263), else UTF-8.

    Raises ValueError with a sentence.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content[len(mark) :], encoding)
    for line in content.split(b"\n", 2)[:2]:
        if line[:1] == b"#" and (found := _CODING.search(line)) is not None:
            return _decode(content, found[1].decode("ascii", "replace"))
    return _decode(content, "utf-8")


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError):
        raise ValueError(f"is not text in {encoding[:40]}: save it as UTF-8") from None


def lines(text: str) -> Iterator[RequirementLine]:
    """Each line that says something; raises BadLine."""
    for number, line in _joined(text):
        plain = _COMMENT.sub("", line).strip()
        if not plain:
            continue
        words, options = _parted(plain)
        yield RequirementLine(number, words, tuple(_options(options, number)))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines that end with a backslash go on in the next one; a comment between them ends them."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.splitlines(), 1):
        is_comment = _COMMENT.match(line) is not None
        if not parts:
            first = number
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        parts.append(f" {line}" if is_comment else line)
        yield first, "".join(parts)
        parts = []
    if parts:
        yield first, "".join(parts)


def _parted(line: str) -> tuple[str, str]:
    """The requirement, and all from the first word on that begins with a dash."""
    words = line.split(" ")
    end = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    return " ".join(words[:end]).strip(), " ".join(words[end:])


def _options(text: str, number: int) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError:
        raise BadLine(number, "has a quotation mark without its fellow") from None
    while words:
        word = words.pop(0)
        name, is_given, value = word.partition("=")
        if not word.startswith("--"):
            name, value = _SHORT.get(word[:2], word[:2]), word[2:]
            is_given = value
        if name in _FLAGS:
            yield name, ""
            continue
        if name not in _VALUED:
            raise BadLine(number, f'"{word[:60]}" is no option of requirements files')
        if not is_given:
            if not words:
                raise BadLine(number, f"{name} has no value")
            value = words.pop(0)
        yield name, value


def variable(text: str) -> str | None:
    """A ``${NAME}`` that pip would fill in from the environment of whoever runs it."""
    found = _VARIABLE.search(text)
    return found[0] if found is not None else None
