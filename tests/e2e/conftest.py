"""Homes, and the stand-ins of the world outside."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.kit import GENERATED, STANDS_STILL, Home
from tests.standins.kraken_public import KrakenPublic
from tests.standins.telegram import Telegram


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """A home with a generated market that stands still."""
    made = Home(tmp_path, {**GENERATED, "MARKET_SPEED": STANDS_STILL})
    yield made
    await made.close()


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """Telegram, up."""
    async with Telegram() as server:
        yield server


@pytest.fixture
async def kraken() -> AsyncIterator[KrakenPublic]:
    """Kraken's public API with three pairs, up."""
    async with KrakenPublic() as venue:
        yield venue
