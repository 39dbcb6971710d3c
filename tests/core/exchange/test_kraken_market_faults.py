"""What Kraken's public data becomes when Kraken, or the way to it, fails: ccxt itself against a failing stand-in."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.exchange.errors import MarketDownError
from core.exchange.kraken import PublicClient
from core.exchange.kraken_market import KrakenMarketData
from core.exchange.pacing import TokenBucket
from tests.core.exchange.kraken_rig import NOW, STORED, ZEC, Rig, ago, no_wait, open_rig, quick_client
from tests.standins.kraken_public import Fault, KrakenPublic


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A venue of its own for each test."""
    async with open_rig() as made:
        yield made


FAULTS = {
    Fault.HTML_502: ("HTTP 502", 3),
    Fault.HTML_200: ("something else than", 3),
    Fault.UNAVAILABLE: ("EService:Unavailable", 3),
    Fault.RATE_LIMIT: ("EGeneral:Too many requests", 1),
    Fault.DROP: ("cannot be reached", 6),  # aiohttp itself repeats a GET once whose connection was dropped
    Fault.BROKEN_JSON: ("something else than", 3),
    Fault.NO_RESULT: ("something else than", 3),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("endpoint", ["Ticker", "Depth", "Trades", "OHLC"])
async def test_every_fault_is_market_down_in_plain_words(rig: Rig, fault: Fault, endpoint: str) -> None:
    words, attempts = FAULTS[fault]
    source = rig.source({ZEC: STORED})
    await source.instruments()
    rig.venue.fail(fault, endpoint=endpoint)
    with pytest.raises(MarketDownError) as caught:
        await _read(source, endpoint)
    said = str(caught.value)
    assert words in said
    assert not [ugly for ugly in ("http://", "kraken GET", "<html>", "127.0.0.1", "ccxt", "{") if ugly in said]
    assert not [line for line in traceback.format_exception(caught.value) if "/ccxt/" in line]
    assert len(rig.venue.asked(endpoint)) == attempts


@pytest.mark.parametrize("fault", [Fault.HTML_502, Fault.UNAVAILABLE, Fault.DROP, Fault.BROKEN_JSON])
@pytest.mark.parametrize("endpoint", ["Ticker", "Depth", "Trades", "OHLC"])
async def test_a_fault_that_passes_is_not_noticed(rig: Rig, fault: Fault, endpoint: str) -> None:
    source = rig.source()
    await source.instruments()
    rig.zec.flat_candles(1, ago(minutes=30), 30)
    rig.venue.fail(fault, times=2, endpoint=endpoint)
    await _read(source, endpoint)
    assert len(rig.venue.asked(endpoint)) == 3


async def test_an_answer_that_takes_too_long_is_given_up_in_time(rig: Rig) -> None:
    source = rig.source({ZEC: STORED}, timeout_s=0.4)
    await source.instruments()
    rig.venue.fail(Fault.SLOW)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(MarketDownError, match="did not send prices"):
        await source.quotes([ZEC])
    assert loop.time() - began < 0.6


async def test_a_hanging_connection_leaves_time_for_a_second_one(rig: Rig) -> None:
    source = rig.source(timeout_s=1.0)
    await source.instruments()
    rig.venue.fail(Fault.SLOW, times=1)
    assert list(await source.quotes([ZEC])) == [ZEC]
    assert len(rig.venue.asked("Ticker")) == 2


async def test_a_source_works_again_after_a_timeout(rig: Rig) -> None:
    source = rig.source(timeout_s=0.4)
    await source.instruments()
    rig.venue.fail(Fault.SLOW)
    with pytest.raises(MarketDownError):
        await source.quotes([ZEC])
    rig.venue.recover()
    assert list(await source.quotes([ZEC])) == [ZEC]


async def test_nobody_listening_is_market_down(rig: Rig) -> None:
    async with KrakenPublic() as gone:
        url = gone.url
    source = KrakenMarketData(
        url, lambda: NOW, {ZEC: STORED}, 5.0, client_factory=quick_client, sleep=no_wait, pace=TokenBucket(1000.0, 1000)
    )
    with pytest.raises(MarketDownError, match="cannot be reached"):
        await source.quotes([ZEC])
    await source.close()


async def test_every_attempt_waits_its_turn(rig: Rig) -> None:
    """Every attempt waits its turn, so that repeating cannot run into Kraken's limits."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    source = KrakenMarketData(
        rig.venue.url,
        lambda: NOW,
        {},
        client_factory=quick_client,
        sleep=no_wait,
        pace=TokenBucket(1.0, 1, monotonic=lambda: 0.0, sleep=note),
    )
    rig.venue.fail(Fault.HTML_502)
    with pytest.raises(MarketDownError):
        await source.instruments()
    await source.close()
    assert waits == [1.0, 2.0]


async def test_repeats_wait_longer_each_time(rig: Rig) -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    source = KrakenMarketData(rig.venue.url, lambda: NOW, {}, client_factory=quick_client, sleep=note)
    rig.venue.fail(Fault.UNAVAILABLE)
    with pytest.raises(MarketDownError):
        await source.instruments()
    await source.close()
    assert waits == [0.2, 0.4]


async def test_a_broken_client_is_market_down_with_its_kind_named(rig: Rig) -> None:
    def broken(_api_url: str | None, _timeout_s: float) -> PublicClient:
        client: Any = quick_client(rig.venue.url, 1.0)
        client.publicGetAssetPairs = None
        return client  # type: ignore[no-any-return]

    source = KrakenMarketData(None, lambda: NOW, {}, client_factory=broken)
    with pytest.raises(MarketDownError, match=r"Reading its list of pairs from Kraken failed \(TypeError\)"):
        await source.instruments()
    await source.close()


async def test_after_close_every_read_is_market_down(rig: Rig) -> None:
    used, unused = rig.source(), rig.source()
    await used.instruments()
    for source in (used, unused):
        await source.close()
        await source.close()
        with pytest.raises(MarketDownError, match="closed"):
            await source.book(ZEC)


async def _read(source: KrakenMarketData, endpoint: str) -> None:
    """One read that needs this endpoint."""
    if endpoint == "Ticker":
        await source.quotes([ZEC])
    elif endpoint == "Depth":
        await source.book(ZEC)
    elif endpoint == "Trades":
        await source.tape(ZEC, ago(minutes=1))
    else:
        await source.candles(ZEC, 60, 10)
