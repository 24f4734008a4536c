"""How far a long job on the data folder is, and how it last ended: one small JSON file each, for whoever asks."""

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec


class Progress:
    """``DATA/NAME.json``. Replaced whole; one that cannot be read counts as none."""

    def __init__(self, data: Path, name: str) -> None:
        self._path = data / f"{name}.json"

    def read(self) -> dict[str, Any]:
        """What was written last; empty where nothing was."""
        try:
            read = msgspec.json.decode(self._path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}
        return read if isinstance(read, dict) else {}

    def write(self, told: dict[str, Any]) -> None:
        """Replaces it. A disk that does not take it loses the place and nothing else."""
        passing = self._path.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            passing.write_bytes(msgspec.json.encode(told))
            passing.replace(self._path)
