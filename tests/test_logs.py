"""The log on a terminal and in a file: one line an event, whatever a client or an origin said."""

import io
import json

import pytest
import structlog

from wheelkeep import logs

WICKED = "a\nlevel=error event=fake \x1b[2J\x1b]0;t\x07 \x9b31m\u202e \ud800"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[Terminal, io.StringIO])
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    made: io.StringIO = request.param()
    monkeypatch.setattr("sys.stderr", made)
    monkeypatch.setattr(structlog, "configure", _uncached(structlog.configure))
    request.addfinalizer(structlog.reset_defaults)
    logs.configure()
    return made


def _uncached(configure: object) -> object:
    return lambda **settings: configure(**settings | {"cache_logger_on_first_use": False})  # type: ignore[operator]


def test_no_text_makes_a_line_or_moves_a_cursor(stream: io.StringIO) -> None:
    structlog.get_logger().warning("said", why=WICKED, path=WICKED, count=3)
    told = stream.getvalue()
    assert told.count("\n") == 1
    if stream.isatty():
        # What is left are the colours of the renderer.
        assert all(piece.partition("m")[0].strip("[0123456789;") == "" for piece in told.split("\x1b")[1:])
        assert "\\x1b[2J" in told
    else:
        assert told.rstrip("\n").isprintable()
        assert json.loads(told)["count"] == 3
    assert not set("\x07\x9b\u202e\ud800") & set(told)


def test_a_traceback_shows_no_variables(stream: io.StringIO) -> None:
    password = "hunter" + "2"
    try:
        raise ValueError(f"it failed \x1b[2J: {len(password)}")
    except ValueError:
        structlog.get_logger().exception("failed")
    told = stream.getvalue()
    assert "it failed" in told
    assert "hunter2" not in told
    assert "\x1b[2J" not in told
