"""What commands print, fit for a terminal: names and sentences of others end in it, and are to be read, not obeyed."""

import re
from typing import Any, TextIO

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.one_line import plain

_COLOUR = re.compile(r"(\x1b\[(?:[0-3]|3[1-6])(?:;(?:[0-3]|3[1-6]))*m)")
"""What the help is painted with (ECMA-48 8.3.117): it hides nothing, whoever writes it."""


class Plain:
    """A text stream that passes on what can be printed, line ends, and the colours of the help; the rest as escapes.

    A line that shows progress may begin with a carriage return.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Raises WheelkeepError where nothing more can be written, as on a full disk; BrokenPipeError where nobody
        reads any more, which is no mistake."""
        try:
            self._write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WheelkeepError(f"what there is to tell cannot be written: {error.strerror}") from None
        return len(text)

    def _write(self, text: str) -> None:
        if text.isprintable():
            self.stream.write(text)
            return
        start = "\r" if text.startswith("\r") else ""
        parts = _COLOUR.split(text.removeprefix(start))
        # Every second part is a colour.
        told = "".join(part if at % 2 else plain(part, lines=True) for at, part in enumerate(parts))
        self.stream.write(start + told)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
