"""Kraken's public market data behind the `MarketData` port: paced, tried again, in plain words where it fails."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus

from loguru import logger
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, stop_before_delay, wait_exponential

from core.domain.instruments import Instrument
from core.domain.market import Book, Candle, Print, Quote, Tape
from core.exchange import translate_public as translate
from core.exchange.errors import MarketDownError
from core.exchange.kraken import ClientFactory, PublicClient, ccxt_errors, failures_of_ccxt, new_client
from core.exchange.pacing import TokenBucket

PUBLIC_CALLS_PER_S = 1.0
PUBLIC_BURST = 5
PUBLIC_RESERVE = 4
"""Calls at once that the candles of the autopilot leave to commands and to the tick."""

ATTEMPTS = 3
"""Per read. aiohttp adds one of its own where the connection of a GET is dropped (never for a POST)."""

QUOTE_REUSE = timedelta(seconds=1)
CANDLES_REUSE = timedelta(minutes=1)
STATUS_REUSE = timedelta(seconds=10)
STATUS_LIMIT_S = 1.0
STATUS_UNKNOWN = "unknown"
STREAM_ALIVE = timedelta(seconds=5)
LISTING_AGE_MAX = timedelta(hours=24)
LISTING_RETRY_AFTER = timedelta(minutes=1)
SETTLING = timedelta(seconds=10)
"""How long a trade may take to show up in the list of trades."""

PRINTS_REACH = timedelta(minutes=5)
TRADES_PER_PAGE = 1000
TRADE_PAGES_MAX = 20
BOOK_DEPTH = 100
CLOSED_ROWS_MAX = 719
"""Kraken keeps 720 candles of each interval, and the last of them is still running."""

TAPE_INTERVALS_S = (60, 300, 900, 1800, 3600, 14_400, 86_400)
INTERVALS_S = (*TAPE_INTERVALS_S, 604_800, 1_296_000)

_WANTED = {
    "AssetPairs": "its list of pairs",
    "Ticker": "prices",
    "Depth": "an order book",
    "Trades": "trades",
    "OHLC": "candles",
}
_VENUE_WORDS = re.compile(r'"(E[A-Z][A-Za-z]*:[^"]*)"')
_HTTP_STATUS = re.compile(r"^kraken GET \S+ (\d{3}) ")
_PASSING_WORDS = ("EService:Unavailable", "EService:Busy", "EService:Timeout", "EGeneral:Internal error")
_UNKNOWN_PAIR = "EQuery:Unknown asset pair"


Sleep = Callable[[float], Awaitable[None]]


class _PassingError(MarketDownError):
    """A failure that another attempt may not meet."""


class KrakenMarketData:
    """Kraken's public market data behind the `MarketData` port.

    Reads are paced (1 a second, 5 at once), tried up to three times and given up after `timeout_s` seconds, not
    counting the wait for their turn. Every failure is a MarketDownError in plain words. `stored_instruments` stand in
    for Kraken's list while it cannot be read. `client_factory(api_url, timeout_s)` makes the client on first use.
    """

    name: str = translate.SOURCE

    def __init__(
        self,
        api_url: str | None,
        clock: Callable[[], datetime],
        stored_instruments: Mapping[str, Instrument],
        timeout_s: float = 10.0,
        *,
        client_factory: ClientFactory = new_client,
        pace: TokenBucket | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._stored = dict(stored_instruments)
        # Half of the time for one attempt: a connection that hangs leaves room for a second one.
        self._wire = _PublicWire(clock, lambda: client_factory(api_url, timeout_s / 2), timeout_s, pace, sleep)
        self._recent: dict[str, Quote] = {}
        self._statuses: dict[str, tuple[datetime, str]] = {}
        self._streamed: dict[str, Quote] = {}
        self._closed: dict[tuple[str, int], tuple[datetime, list[Candle]]] = {}
        self._heard_at = datetime.min.replace(tzinfo=UTC)
        self._listing: Mapping[str, Instrument] = {}
        self._listing_tried_at = datetime.min.replace(tzinfo=UTC)
        self._listing_good_for = LISTING_AGE_MAX
        self._listing_lock = asyncio.Lock()

    async def instruments(self) -> Mapping[str, Instrument]:
        """Every pair of Kraken by our symbol, read once and again after 24 hours.

        While Kraken cannot be read: the last list, else the stored one (asked again after a minute); raises
        MarketDownError when there is neither.
        """
        return await self._instruments()

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """The latest quote of each of these symbols that Kraken lists and that has one, in one call.

        Quotes of the last second are shown again: a command asks several times, and Kraken's patience is counted.
        """
        now = self._clock()
        fresh = {name: one for name, one in self._recent.items() if name in symbols and one.at >= now - QUOTE_REUSE}
        if now - self._heard_at < STREAM_ALIVE:
            # A stream tells changes only: while it lives, the last price that it told is the price.
            fresh |= {name: replace(one, at=self._heard_at) for name, one in self._streamed.items() if name in symbols}
        if len(fresh) == len(set(symbols)):
            return fresh
        found = await self._read_quotes(symbols)
        self._recent |= found
        return found

    def hear(self, quotes: Iterable[Quote]) -> None:
        """Take prices from a stream, and note that it is alive: with no quotes, it has nothing new to tell."""
        self._heard_at = self._clock()
        self._streamed |= {quote.symbol: quote for quote in quotes}

    def forget_streamed(self) -> None:
        """The stream is broken: what it told last may be old by now."""
        self._streamed.clear()

    async def _read_quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        listing = await self._instruments()
        try:
            return await self._quotes(symbols, listing)
        except MarketDownError as error:
            if _UNKNOWN_PAIR not in error.message:
                raise
            # One pair that was delisted since the list was read makes Kraken refuse the whole call. It must not
            # blind us to the others, so the failure is believed only when the list has nothing new to say.
            newer = await self._instruments(LISTING_RETRY_AFTER)
            if newer is listing:
                raise
        return await self._quotes(symbols, newer)

    async def book(self, symbol: str) -> Book:
        """The best 100 levels of each side."""
        venue_name = await self._venue_name(symbol)
        result, asked_at = await self._wire.read("Depth", {"pair": venue_name, "count": BOOK_DEPTH})
        return translate.book(result, symbol, asked_at)

    async def status(self, symbol: str) -> str:
        """The pair's status, no older than ten seconds; "unknown" where it cannot be read within one."""
        known = (await self._instruments()).get(symbol)
        now = self._clock()
        at, status = self._statuses.get(symbol, (datetime.min.replace(tzinfo=UTC), known.status if known else "online"))
        if known is None or now - at < STATUS_REUSE:
            return status
        try:
            async with asyncio.timeout(STATUS_LIMIT_S):
                result, _ = await self._wire.read("AssetPairs", {"pair": known.venue_name}, urgent=True)
            status = translate.instruments(result).get(symbol, known).status
        except (MarketDownError, TimeoutError):
            logger.debug("the status of {} cannot be read just now", symbol)
            status = STATUS_UNKNOWN
        # A failure is remembered as well: somebody waits for this in order to sell.
        self._statuses[symbol] = (self._clock(), status)
        return status

    async def tape(self, symbol: str, since: datetime) -> Tape:
        """What traded after `since`: every print when that is 5 minutes or less ago, mostly closed candles otherwise.

        `until` is how far the events reach, never the present: what Kraken shows a moment later is still after it.
        Candles are the finest that reach back to `since`; the time before the first of them opens is told by prints,
        so that nothing of a downtime goes unseen. They are marked as caught up.
        """
        venue_name = await self._venue_name(symbol)
        now = self._clock()
        if now - since <= PRINTS_REACH:
            prints, is_whole = await self._prints(symbol, venue_name, since, now + SETTLING)
            settled = max(since, now - SETTLING) if is_whole else since
            return Tape(symbol, prints, max(settled, prints[-1].at) if prints else settled)
        interval_s = _interval_that_reaches(now - since)
        rows = await self._candles(symbol, venue_name, interval_s, since)
        candles = [candle for candle in rows if candle.at >= since]
        if not candles:
            return Tape(symbol, (), since, caught_up=True)
        first = candles[0].at
        bridge, _ = await self._prints(symbol, venue_name, since, first) if first > since else ([], True)
        return Tape(symbol, (*bridge, *candles), candles[-1].ends_at, caught_up=True)

    async def candles(self, symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
        """The last `count` closed candles (Kraken keeps 719), oldest first.

        What was read in the last minute is shown again while no candle has closed since; the patient read it anew.
        """
        if interval_s not in INTERVALS_S:
            raise MarketDownError(f"Kraken has no candles of {interval_s} s, only of {INTERVALS_S} s.")
        read_at, rows = self._closed.get((symbol, interval_s), (datetime.min.replace(tzinfo=UTC), []))
        now = self._clock()
        if patient or now - read_at >= CANDLES_REUSE or _number(now, interval_s) != _number(read_at, interval_s):
            rows = await self._candles(symbol, await self._venue_name(symbol), interval_s, None, patient=patient)
            self._closed[symbol, interval_s] = (now, rows)
        return rows[max(0, len(rows) - count) :] if count > 0 else []

    async def close(self) -> None:
        """Give back the connections. Later calls raise MarketDownError."""
        await self._wire.close()

    # -- instruments ---------------------------------------------------------------------------------------------

    async def _instruments(self, age_max: timedelta = LISTING_AGE_MAX) -> Mapping[str, Instrument]:
        async with self._listing_lock:
            if self._clock() - self._listing_tried_at >= min(age_max, self._listing_good_for):
                await self._read_listing()
            return self._listing

    async def _read_listing(self) -> None:
        try:
            result, _asked_at = await self._wire.read("AssetPairs", {})
            self._listing = _not_empty(translate.instruments(result))
            self._listing_good_for = LISTING_AGE_MAX
        except MarketDownError:
            self._listing = self._listing or self._stored
            if not self._listing:
                raise
            self._listing_good_for = LISTING_RETRY_AFTER
        self._listing_tried_at = self._clock()

    async def _venue_name(self, symbol: str) -> str:
        instrument = (await self._instruments()).get(symbol)
        if instrument is None:
            raise MarketDownError(f"Kraken does not list {symbol}.")
        return instrument.venue_name

    # -- reads of one kind ---------------------------------------------------------------------------------------

    async def _quotes(self, symbols: Collection[str], listing: Mapping[str, Instrument]) -> Mapping[str, Quote]:
        ours = {listing[symbol].venue_name: symbol for symbol in symbols if symbol in listing}
        if not ours:
            return {}
        result, asked_at = await self._wire.read("Ticker", {"pair": ",".join(ours)})
        return translate.quotes(result, ours, asked_at)

    async def _prints(
        self, symbol: str, venue_name: str, since: datetime, before: datetime
    ) -> tuple[list[Print], bool]:
        """Prints after `since`, and whether those are all until `before`."""
        found: list[Print] = []
        cursor = translate.trades_cursor(since)
        for _ in range(TRADE_PAGES_MAX):
            params = {"pair": venue_name, "since": cursor, "count": TRADES_PER_PAGE}
            result, _asked_at = await self._wire.read("Trades", params)
            page, last = translate.prints(result, symbol)
            found += [event for event in page if event.at > since]
            if len(page) < TRADES_PER_PAGE or last == cursor or page[-1].at >= before:
                return [event for event in found if event.at < before], True
            cursor = last
        return [event for event in found if event.at < before], False

    async def _candles(
        self, symbol: str, venue_name: str, interval_s: int, since: datetime | None, *, patient: bool = False
    ) -> list[Candle]:
        """Closed candles; with `since`, those around and after it."""
        params: dict[str, object] = {"pair": venue_name, "interval": interval_s // 60}
        if since is not None:
            # Two intervals early: whether Kraken counts `since` in or out, the candle at `since` is there.
            params["since"] = int(since.timestamp()) - 2 * interval_s
        result, _asked_at = await self._wire.read("OHLC", params, patient=patient)
        return [candle for candle in translate.candles(result, symbol, interval_s) if candle.closed]


class _PublicWire:
    """One ccxt client and the way that public reads are paced, repeated and given up."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        make_client: Callable[[], PublicClient],
        timeout_s: float,
        pace: TokenBucket | None,
        sleep: Sleep,
    ) -> None:
        self._clock = clock
        self._make_client = make_client
        self._timeout_s = timeout_s
        self._pace = pace if pace is not None else TokenBucket(PUBLIC_CALLS_PER_S, PUBLIC_BURST, reserve=PUBLIC_RESERVE)
        self._sleep = sleep
        self._client: PublicClient | None = None
        self._is_closed = False

    async def read(
        self, endpoint: str, params: Mapping[str, object], *, urgent: bool = False, patient: bool = False
    ) -> tuple[object, datetime]:
        """The `result` of one public endpoint and the time just before it was asked for. Raises MarketDownError.

        `urgent` waits for no turn, `patient` lets everybody else go first.
        """
        # Our own queue is no fault of Kraken's, so the time-out begins when the turn has come.
        if urgent:
            self._pace.debit()
        else:
            await self._pace.take(patient=patient)
        retrying = AsyncRetrying(
            # aiohttp takes our cancellation for its own time-out when both fall on the same instant; then the delay
            # is what ends the attempts.
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self._timeout_s),
            wait=wait_exponential(multiplier=0.2, min=0.2, max=2.0),
            retry=retry_if_exception_type(_PassingError),
            sleep=partial(self._pause, patient=patient),
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                return await retrying(self._ask, endpoint, params)
        except TimeoutError:
            wanted = _WANTED[endpoint]
            raise MarketDownError(f"Kraken did not send {wanted} within {self._timeout_s:g} s.") from None

    async def close(self) -> None:
        """Close the client, if there is one; nothing can be read any more."""
        self._is_closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _pause(self, seconds: float, *, patient: bool) -> None:
        await self._sleep(seconds)
        await self._pace.take(patient=patient)

    async def _ask(self, endpoint: str, params: Mapping[str, object]) -> tuple[object, datetime]:
        if self._is_closed:
            raise MarketDownError("The connection to Kraken's market data is closed.")
        if self._client is None:
            self._client = self._make_client()
        call = getattr(self._client, f"publicGet{endpoint}")
        asked_at = self._clock()
        try:
            reply = await call(dict(params))
        except failures_of_ccxt() as error:
            # The caller gets one kind of failure; ccxt's own text holds addresses and whole bodies.
            raise _plain_words(error, _WANTED[endpoint]) from None
        if not isinstance(reply, Mapping) or "result" not in reply:
            raise _PassingError(f"Kraken's server sent something else than {_WANTED[endpoint]}.")
        return reply["result"], asked_at


def _plain_words(error: Exception, wanted: str) -> MarketDownError:
    """What went wrong, in a sentence; a _PassingError when another attempt makes sense.

    Decided by Kraken's own words first, then by the HTTP status, and by ccxt's class only when there is neither.
    """
    errors, text = ccxt_errors(), str(error)
    words = _VENUE_WORDS.search(text) if text.startswith("kraken {") else None
    if words is not None:
        kind = _PassingError if words[1].startswith(_PASSING_WORDS) else MarketDownError
        return kind(f'Kraken answered "{words[1][:200]}" when asked for {wanted}.')
    status = _HTTP_STATUS.match(text)
    if status is not None:
        kind = _PassingError if int(status[1]) >= HTTPStatus.INTERNAL_SERVER_ERROR else MarketDownError
        return kind(f"Kraken's server answered HTTP {status[1]} when asked for {wanted}.")
    if isinstance(error, errors.RequestTimeout):
        return _PassingError(f"Kraken did not send {wanted} in time.")
    if isinstance(error, errors.NetworkError):
        return _PassingError(f"Kraken cannot be reached ({wanted} wanted).")
    if isinstance(error, errors.BaseError):
        # Bodies that break off and TLS trouble arrive as plain ExchangeError.
        return _PassingError(f"The connection to Kraken broke while it sent {wanted}.")
    return MarketDownError(f"Reading {wanted} from Kraken failed ({type(error).__name__}).")


def _not_empty(listing: Mapping[str, Instrument]) -> Mapping[str, Instrument]:
    if not listing:
        raise MarketDownError("Kraken's list of pairs holds none that can be traded.")
    return listing


def _number(at: datetime, interval_s: int) -> int:
    """Which candle a moment lies in."""
    return int(at.timestamp()) // interval_s


def _interval_that_reaches(reach: timedelta) -> int:
    """The finest candle interval (seconds) whose closed rows go back that far; a day when none does."""
    return next((s for s in TAPE_INTERVALS_S if reach <= timedelta(seconds=s * CLOSED_ROWS_MAX)), TAPE_INTERVALS_S[-1])
