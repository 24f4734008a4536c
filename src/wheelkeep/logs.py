"""Structured logs on standard error: one JSON object a line, or coloured words on a terminal.

The one place that imports structlog, which brings rich and pygments with it wherever they are installed: a tenth of
a second and several megabytes for every process, to show tracebacks with the values of all variables. Those may be
secrets, so tracebacks are plain here.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from wheelkeep.core.one_line import plain


@contextmanager
def _without(name: str) -> Iterator[None]:
    """A module cannot be imported meanwhile, as if it were not installed; unless it is there already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment] # the import system's own sign for "not to be had"
    try:
        yield
    finally:
        del sys.modules[name]


with _without("rich"):
    import structlog
    from structlog.typing import EventDict

get_logger = structlog.get_logger


def configure(*, level: int = logging.INFO) -> None:
    """Sets up logging for this process."""
    # The very stream, where commands have put one before it that lets few colours through.
    stream = getattr(sys.stderr, "stream", sys.stderr)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            # Before it is made readable: the message of an exception may be somebody else's words.
            structlog.processors.format_exc_info,
            readable,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # One write a line: several processes share the file.
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )


def readable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Makes what clients and origins said safe to show on a terminal: no line of theirs, no command."""
    return {
        key: plain(value, lines=key in ("exception", "stack")) if isinstance(value, str) else value
        for key, value in event.items()
    }


def quiet() -> None:
    """For commands whose answer is their output: only errors are logged."""
    configure(level=logging.ERROR)
