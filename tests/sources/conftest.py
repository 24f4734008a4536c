"""What tests of the outside world share: a server, clients that are closed, an environment without proxies."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from fakes.outside import Outside
from wheelkeep.sources.client import Client
from wheelkeep.sources.limits import Limits


@pytest.fixture
def quick() -> Limits:
    """Bounds for tests of time-outs; others have the usual ones, so that a busy machine does not fail them."""
    return Limits(
        connect=0.5,
        first_byte=0.3,
        silence=0.3,
        whole=1.0,
        pause=0.01,
        file_first_byte=0.3,
        file_silence=0.3,
        slow_after=0.4,
    )


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Outside]:
    with Outside() as server:
        yield server


@pytest_asyncio.fixture
async def client_of() -> AsyncIterator[Callable[..., Client]]:
    """Makes clients that do not pause for long, and closes them."""
    made: list[Client] = []

    def make(url: str, **settings: object) -> Client:
        made.append(Client(url=url, **({"limits": Limits(pause=0.01)} | settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        await client.close()
