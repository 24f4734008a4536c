"""What tests of the store share: one of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fakes.stores import Store


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened
