"""Structured logs on standard error: one JSON object a line, or coloured words on a terminal."""

import logging
import sys

import structlog


def configure(*, level: int = logging.INFO) -> None:
    """Sets up logging for this process."""
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([] if terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # One write a line: several processes share the file.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def quiet() -> None:
    """For commands whose answer is their output: only errors are logged."""
    configure(level=logging.ERROR)
