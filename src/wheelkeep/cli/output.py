"""How commands print: one JSON document with stable keys, or words and tables for people."""

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
