"""Real ccxt clients for the stand-in, given back when their test is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.async_support
import ccxt.pro

from tests.standins.kraken import KrakenStandIn


@asynccontextmanager
async def rest_client(kraken: KrakenStandIn, **options: Any) -> AsyncIterator[Any]:
    """A `ccxt.async_support.kraken` that talks to `kraken`."""
    client = ccxt.async_support.kraken({**kraken.options, **options})
    client.timeout_on_exit = 0
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def stream_client(kraken: KrakenStandIn, **options: Any) -> AsyncIterator[Any]:
    """A `ccxt.pro.kraken` that talks to `kraken`."""
    client = ccxt.pro.kraken({**kraken.options, **options})
    client.timeout_on_exit = 0
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()
