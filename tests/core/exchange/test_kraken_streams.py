"""Kraken's streams over real sockets: what wakes, what does not, and how a stream that is gone is taken up again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from loguru import logger

from core.domain.market import Quote
from core.domain.venue import Cancel, OrderNews
from core.exchange import kraken_streams
from core.exchange.kraken_streams import SILENT_S, AccountStreams
from tests.core.exchange.account_rig import ZEC, Bench, bench
from tests.standins import kraken_faults as faults

D = Decimal
LOOK_S = 0.01


@dataclass
class Ears:
    """The streams of one account and what they told."""

    on: Bench
    streams: AccountStreams = field(init=False)
    symbols: set[str] = field(default_factory=lambda: {ZEC})
    news: list[list[OrderNews]] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.streams = AccountStreams(
            self.on.wire,
            self.on.exchange.known_pairs,
            self.on.market,
            self.on.time,
            symbols=lambda: self.symbols,
            on_orders=self._told,
            on_prices=self.quotes.extend,
        )

    def _told(self, news: Collection[OrderNews]) -> None:
        self.news.append(list(news))

    @property
    def tokens(self) -> int:
        """How many tokens were asked for."""
        return self.on.asked("GetWebSocketsToken")

    @property
    def tickers(self) -> list[object]:
        """The symbols that were subscribed, in order."""
        asked = self.on.kraken.streams.subscribed
        return [symbol for one in asked if one.get("channel") == "ticker" for symbol in one["symbol"]]  # type: ignore[attr-defined]

    async def listening(self, times: int = 1) -> None:
        """Wait until the snapshot of executions has come so often, and the last stream is up."""
        await until(lambda: self.news.count([]) >= times and self.on.kraken.streams.listening == 1)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until this is so."""
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


async def a_while() -> None:
    """Time for something that should not come."""
    await asyncio.sleep(0.1)


@asynccontextmanager
async def _listening(on: Bench) -> AsyncIterator[Ears]:
    ears = Ears(on)
    task = asyncio.create_task(ears.streams.run())
    try:
        yield ears
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    yield lines
    logger.remove(handler)


@pytest.fixture
async def on(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    # The clock stands still, so pauses are as long as RETRY_MAX_S says.
    monkeypatch.setattr(kraken_streams, "LOOK_S", LOOK_S)
    monkeypatch.setattr(kraken_streams, "RETRY_MAX_S", LOOK_S)
    async with bench() as made:
        yield made


@pytest.fixture
async def ears(on: Bench) -> AsyncIterator[Ears]:
    async with _listening(on) as made:
        await made.listening()
        yield made


# -- what wakes --------------------------------------------------------------------------------------------------


async def test_whatever_happened_before_the_first_word_is_looked_for(ears: Ears) -> None:
    assert ears.news == [[]]
    assert ears.streams.is_alive()


async def test_an_execution_wakes_with_its_order_and_the_echo_of_our_own_order_does_not(ears: Ears) -> None:
    resting = ears.on.submit("zyabcd123456-1", "limit", price="400")
    await ears.on.exchange.perform(resting)
    await a_while()
    assert ears.news == [[]], "a new order is what we have just sent"
    ears.on.kraken.account.trade(ZEC, "399.00", "0.4")
    await until(lambda: len(ears.news) > 1)
    [record] = ears.on.kraken.account.by_name("zyabcd123456-1")
    assert ears.news[1] == [OrderNews(record.id, ZEC, D("0.4"), is_over=False)]
    await ears.on.exchange.perform(Cancel(resting.order, ZEC))
    await until(lambda: len(ears.news) > 2)
    assert ears.news[2] == [OrderNews(record.id, None, D("0.4"), is_over=True)]


async def test_an_amended_order_wakes_nobody(ears: Ears) -> None:
    record = ears.on.kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "400.00")
    ears.on.kraken.account.by_hand_amend(record.id, limit="401.00")
    await a_while()
    assert ears.news == [[]]


async def test_a_market_order_that_fills_at_once_wakes_with_the_trade_and_with_the_end(ears: Ears) -> None:
    await ears.on.buy()
    await until(lambda: any(one.is_over for news in ears.news for one in news))
    told = [one for news in ears.news for one in news]
    assert {one.filled for one in told} == {D(1)}
    assert [one.is_over for one in told] == [False, True]


# -- a stream that is gone ---------------------------------------------------------------------------------------


async def test_a_stream_that_was_cut_is_taken_up_again_with_a_new_token_and_anything_may_have_happened(
    ears: Ears,
) -> None:
    before = ears.tokens
    ears.on.kraken.streams.cut()
    await ears.listening(times=2)
    assert ears.tokens > before
    assert ears.streams.is_alive()
    await ears.on.buy()
    await until(lambda: bool(ears.news[-1]))


async def test_a_stream_that_falls_silent_is_left_and_taken_up_again(ears: Ears) -> None:
    connected = ears.on.kraken.streams.connected
    ears.on.time.pass_s(SILENT_S + 1)
    assert not ears.streams.is_alive()
    await ears.listening(times=2)
    assert ears.on.kraken.streams.connected > connected
    assert ears.streams.is_alive()


async def test_a_subscription_that_is_refused_is_told_and_tried_again(on: Bench, log: list[str]) -> None:
    on.kraken.streams.reject_subscriptions = True
    async with _listening(on) as ears:
        await until(lambda: "refuses a subscription" in "".join(log))
        assert not ears.streams.is_alive("nobody")
        await until(lambda: on.kraken.streams.connected >= 4)
        assert ears.news == []
        on.kraken.streams.reject_subscriptions = False
        await ears.listening()


async def test_a_door_that_is_shut_is_tried_until_it_opens(on: Bench) -> None:
    on.kraken.streams.refuse_connections = True
    async with _listening(on) as ears:
        await a_while()
        assert not ears.streams.is_alive()
        on.kraken.streams.refuse_connections = False
        await ears.listening()


async def test_a_token_that_cannot_be_had_is_asked_for_again(on: Bench) -> None:
    on.kraken.fail(faults.error("EGeneral:Permission denied"), times=2, endpoint="GetWebSocketsToken")
    async with _listening(on) as ears:
        await ears.listening()
        assert ears.tokens == 3


async def test_an_outage_of_everything_is_outlived(ears: Ears) -> None:
    await ears.on.kraken.stop()
    await until(lambda: not ears.streams.is_alive())
    await ears.on.kraken.start()
    await ears.listening(times=2)


# -- prices ------------------------------------------------------------------------------------------------------


async def test_prices_reach_the_market_and_are_used_while_the_stream_lives(ears: Ears) -> None:
    await until(lambda: bool(ears.quotes))
    asked = ears.on.kraken.public.asked("Ticker")
    ears.on.kraken.account.set_quote(ZEC, "512.00", "512.10", "512.05")
    await until(lambda: ears.quotes[-1].bid == D("512.00"))
    quote = (await ears.on.market.quotes([ZEC]))[ZEC]
    assert (quote.bid, quote.ask, quote.last) == (D("512.00"), D("512.10"), D("512.05"))
    assert ears.on.kraken.public.asked("Ticker") == asked, "nobody was asked"
    ears.on.time.pass_s(6)
    ears.on.kraken.streams.silent = True
    ears.on.kraken.public.market.pairs["XZECZUSD"].quote("520.00", "520.10", "520.05")
    assert (await ears.on.market.quotes([ZEC]))[ZEC].bid == D("520.00")


async def test_prices_of_a_stream_that_broke_are_not_used_any_more(ears: Ears) -> None:
    await until(lambda: bool(ears.quotes))
    ears.on.kraken.streams.refuse_connections = True
    ears.on.kraken.streams.cut()
    await until(lambda: not ears.streams.is_alive("publicV2"))
    ears.on.kraken.public.market.pairs["XZECZUSD"].quote("530.00", "530.10", "530.05")
    assert (await ears.on.market.quotes([ZEC]))[ZEC].bid == D("530.00")


async def test_a_symbol_that_is_wanted_later_is_subscribed_once_and_the_others_are_not_again(ears: Ears) -> None:
    await until(lambda: ears.tickers == [ZEC])
    ears.symbols.add("BTC/USD")
    await until(lambda: any(one.symbol == "BTC/USD" for one in ears.quotes))
    assert ears.tickers == [ZEC, "BTC/USD"]


async def test_without_a_symbol_no_public_stream_is_missed(on: Bench, log: list[str]) -> None:
    async with _listening(on) as ears:
        ears.symbols.clear()
        await ears.listening()
        on.time.pass_s(5)
        await a_while()
        assert not any("refuses" in line or "broke" in line for line in log)
        ears.symbols.add("ETH/USD")
        await until(lambda: any(one.symbol == "ETH/USD" for one in ears.quotes))


async def test_a_symbol_whose_subscription_is_refused_does_not_end_the_stream_of_executions(
    on: Bench, log: list[str]
) -> None:
    async with _listening(on) as ears:
        ears.symbols.add("NO/USD")
        await ears.listening()
        await until(lambda: "NO/USD" in "".join(log))
        assert ears.streams.is_alive()


async def test_no_task_and_no_socket_is_left_when_the_streams_are_stopped(on: Bench) -> None:
    async with _listening(on) as ears:
        await ears.listening()
    await on.exchange.close()
    await until(lambda: on.kraken.streams.connections == 0)
    others = [one.get_name() for one in asyncio.all_tasks() if "watch" in str(one.get_coro())]
    assert others == []
