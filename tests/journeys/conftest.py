"""What the journeys share: real installers, and servers of the outside world."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import clients
from fakes.clients import Client
from fakes.outside import Outside

PIPS = list(clients.pinned())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder for installers, with nothing in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(params=[*PIPS, "uv"], ids=[*(f"pip-{version}" for version in PIPS), "uv"])
def client(request: pytest.FixtureRequest, home: Path) -> Client:
    """Each installer in turn."""
    return clients.uv(home) if request.param == "uv" else clients.pip(request.param, home)


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, home: Path) -> Client:
    """The newest of each kind, where an old pip reads the same pages in the same way."""
    return clients.uv(home) if request.param == "uv" else clients.pip(PIPS[-1], home)


@pytest.fixture
def old_pip(home: Path) -> Client:
    return clients.pip(PIPS[0], home)


@pytest.fixture
def new_pip(home: Path) -> Client:
    return clients.pip(PIPS[-1], home)


@pytest.fixture
def uv(home: Path) -> Client:
    return clients.uv(home)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        yield server
