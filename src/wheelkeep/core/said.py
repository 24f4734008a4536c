"""What a strange program printed, as text that moves no cursor, hides nothing and is not without end."""

import re

_COMMAND = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
"""A terminal's command (ECMA-48: control sequences, and strings for the operating system)."""


class Said:
    """Takes all that is printed and keeps the end of it: ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()
        self.size = 0
        """Bytes that were printed in all."""

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._kept += piece[-self._most :]
        # Not at every piece: to move the rest costs as much as it is long.
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most]

    def text(self) -> str:
        return cleaned(bytes(self._kept[-self._most :]))


def cleaned(body: bytes) -> str:
    """Bytes as UTF-8 text: lines of letters that can be printed, without a terminal's commands."""
    text = _COMMAND.sub("", body.decode("utf-8", "replace")).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
