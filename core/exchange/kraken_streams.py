"""What Kraken pushes: executions of the account, best prices of some pairs. Both only wake; REST tells what is.

A stream that breaks or falls silent is taken up again, with patience; meanwhile the polling goes on as ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from loguru import logger

from core.domain.market import Quote
from core.domain.venue import OrderNews
from core.exchange import stream_words, translate
from core.exchange.errors import VenueUnreadableError
from core.exchange.kraken import failures_of_ccxt
from core.exchange.kraken_wire import AccountWire, CallFailedError, Endpoint
from core.market.clocks import Clock

SILENT_S = 15.0
"""Kraken sends a heartbeat every second; without any for so long, nobody is there."""
CONNECT_S = 30.0
"""How long it may take until a stream says its first word."""
RETRY_MAX_S = 60.0
LOOK_S = 1.0
_PUBLIC, _PRIVATE = "publicV2", "privateV2"


class PriceSink(Protocol):
    """Whoever shows prices to the house."""

    def hear(self, quotes: Iterable[Quote]) -> None:
        """Take prices; none at all means that the stream is alive."""
        ...

    def forget_streamed(self) -> None:
        """The stream is broken."""
        ...


class AccountStreams:
    """The streams of one account. `run` never ends. `on_orders` gets what is new; nothing at all after a gap, in which
    anything may have happened.
    """

    def __init__(
        self,
        wire: AccountWire,
        pairs: Callable[[], Awaitable[translate.Pairs]],
        prices: PriceSink,
        clock: Clock,
        *,
        symbols: Callable[[], Collection[str]],
        on_orders: Callable[[Collection[OrderNews]], None],
        on_prices: Callable[[Collection[Quote]], None],
    ) -> None:
        self.heard_at: dict[str, datetime] = {}
        """When each stream last said anything."""
        self._wire = wire
        self._find_pairs = pairs
        self._pairs = translate.Pairs(())
        self._prices = prices
        self._clock = clock
        self._symbols = symbols
        self._on_orders = on_orders
        self._on_prices = on_prices
        self._token: str | None = None
        self._refused = asyncio.Event()

    def is_alive(self, stream: str = _PRIVATE) -> bool:
        """True while this stream has spoken lately."""
        heard = self.heard_at.get(stream)
        return heard is not None and (self._clock() - heard).total_seconds() < SILENT_S

    async def run(self) -> None:
        """Keep both streams up until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_up(_PRIVATE, self._watch_orders))
            group.create_task(self._keep_up(_PUBLIC, self._watch_prices))

    async def _keep_up(self, stream: str, watch: Callable[[], Awaitable[None]]) -> None:
        wait_s = 1.0
        while True:
            began = self._clock()
            try:
                self._pairs = await self._find_pairs()
                client = self._wire.client
                client.tap, client.token_source = self._hear, self._get_token
                await self._until_silent(stream, watch)
            except failures_of_ccxt() + (CallFailedError, VenueUnreadableError) as error:  # noqa: RUF005
                logger.info("the {} stream of Kraken broke: {}", _NAMES[stream], type(error).__name__)
            self.heard_at.pop(stream, None)
            self._token = None
            if stream == _PUBLIC:
                self._prices.forget_streamed()
            wait_s = 1.0 if (self._clock() - began).total_seconds() > RETRY_MAX_S else min(RETRY_MAX_S, wait_s * 2)
            await asyncio.sleep(wait_s)

    async def _until_silent(self, stream: str, watch: Callable[[], Awaitable[None]]) -> None:
        """Watch until the stream breaks, is refused, or has not spoken for too long."""
        watching = asyncio.ensure_future(watch())
        began = self._clock()
        try:
            while not watching.done():
                await asyncio.wait({watching}, timeout=LOOK_S)
                heard = self.heard_at.get(stream)
                silent_s = (self._clock() - (heard or began)).total_seconds()
                if stream == _PUBLIC and not self._symbols():
                    continue
                is_refused = stream == _PRIVATE and self._refused.is_set()
                if is_refused or silent_s > (SILENT_S if heard is not None else CONNECT_S):
                    self._refused.clear()
                    self._wire.client.drop(stream)
                    return
            await watching
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch_orders(self) -> None:
        while True:
            await self._wire.client.watch_orders(None, None, None, {})

    async def _watch_prices(self) -> None:
        """One watcher for each symbol: ccxt would subscribe the old ones again with every new one."""
        watchers: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for symbol in set(self._symbols()) - watchers.keys():
                    watchers[symbol] = asyncio.create_task(self._watch_price(symbol))
                failed = [one for one in watchers.values() if one.done()]
                for one in failed:
                    one.result()
                await asyncio.sleep(LOOK_S)
        finally:
            for one in watchers.values():
                one.cancel()
            await asyncio.gather(*watchers.values(), return_exceptions=True)

    async def _watch_price(self, symbol: str) -> None:
        self._wire.client.know(symbol, symbol)
        while True:
            await self._wire.client.watch_bids_asks([symbol], {})

    async def _get_token(self) -> str:
        if self._token is None:
            self._token = translate.stream_token(await self._wire.read(Endpoint.STREAM_TOKEN, {}))
        return self._token

    # -- what comes --------------------------------------------------------------------------------------------

    def _hear(self, stream: str, message: Mapping[str, Any]) -> None:
        """Every message of both streams. It decides nothing: it notes, passes prices on, and wakes."""
        if message.get("method") == "subscribe" and message.get("success") is False:
            logger.warning("Kraken refuses a subscription: {}", str(message.get("error"))[:200])
            if stream == _PRIVATE:
                # One pair without a stream of prices is asked for over REST; the others keep theirs.
                self._refused.set()
            return
        now = self._clock()
        self.heard_at[stream] = now
        if stream == _PUBLIC:
            quotes = (
                stream_words.streamed_quotes(message, self._pairs, now) if message.get("channel") == "ticker" else []
            )
            self._prices.hear(quotes)
            if quotes:
                self._on_prices(quotes)
        elif message.get("channel") == "executions":
            is_first = message.get("type") == "snapshot"
            news = [] if is_first else stream_words.streamed_news(message, self._pairs)
            if is_first or news:
                self._on_orders(news)


_NAMES = {_PRIVATE: "private", _PUBLIC: "public"}
