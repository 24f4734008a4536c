"""How commands print: one JSON document with stable keys, or words and tables for people."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec


def print_json(document: Any) -> None:
    """One JSON document on standard output, indented."""
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def size(count: float) -> str:
    """Bytes as a person reads them (1 KB is 1,000 bytes)."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, each column as wide as its widest word; the last one may be as long as it likes."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    for row in rows:
        yield "  ".join([*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[-1]])


def had_by(whom: Sequence[str], most: int = 5) -> str:
    """Who was given something, at the end of a sentence; empty where nobody was."""
    if not whom:
        return ""
    more = f" and {len(whom) - most} more" if len(whom) > most else ""
    return f"; had by {', '.join(whom[:most])}{more}"
