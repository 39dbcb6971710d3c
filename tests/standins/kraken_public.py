"""A stand-in for Kraken's public REST API: an in-memory market behind a real HTTP server, with faults on demand.

It answers as Kraken does: errors come with HTTP 200 in the envelope, replies are keyed by Kraken's own names, numbers
are strings, one pair that it does not list refuses a whole Ticker call.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from aiohttp import web

NANOSECONDS = 1_000_000_000
INTERVALS_MIN = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
OHLC_ROWS_MAX = 720
TRADES_MAX = 1000
FIAT = frozenset("USD EUR GBP CAD JPY AUD".split())
OLD_COINS = frozenset("XBT XDG ETH ETC LTC ZEC XMR XRP XLM REP MLN".split())

Json = dict[str, object]
Row = tuple[int, str, str, str, str, str]
"""A candle as a test writes it: open time in seconds, open, high, low, close, volume."""


class Fault(StrEnum):
    """Ways in which an answer goes wrong."""

    HTML_502 = "a 502 page of HTML"
    HTML_200 = "a page of HTML with status 200"
    UNAVAILABLE = "EService:Unavailable"
    RATE_LIMIT = "EGeneral:Too many requests"
    DROP = "the connection is dropped without an answer"
    SLOW = "the answer takes its time"
    BROKEN_JSON = "the body breaks off"
    NO_RESULT = "an envelope without a result"


class ApiError(Exception):
    """What Kraken says in the `error` list of its envelope."""


@dataclass(slots=True)
class Pair:
    """One pair as Kraken lists it. `key` is Kraken's name for it; prices are text, as on the wire."""

    key: str
    altname: str
    wsname: str
    tick_size: str = "0.01"
    pair_decimals: int = 2
    lot_decimals: int = 8
    ordermin: str = "0.01"
    costmin: str = "0.5"
    status: str = "online"
    bid: str = "100.00"
    ask: str = "100.02"
    last: str = "100.01"
    bids: list[tuple[str, str]] = field(default_factory=list)
    """Levels of the book, best first; one level at `bid` when empty."""
    asks: list[tuple[str, str]] = field(default_factory=list)
    trades: list[tuple[int, str, str]] = field(default_factory=list)
    """(nanoseconds since 1970, price, volume), oldest first."""
    candles: dict[int, list[Row]] = field(default_factory=dict)
    """By interval in minutes, oldest first; the last one is still running."""

    def quote(self, bid: str, ask: str, last: str) -> None:
        """Set the three prices of the ticker."""
        self.bid, self.ask, self.last = bid, ask, last

    def trade(self, at: datetime, price: str, volume: str = "1.00000000") -> None:
        """Add a trade at an aware time, to the microsecond; the last price follows."""
        micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
        self.trades.append((micros * 1000, price, volume))
        self.last = price

    def flat_candles(self, interval_min: int, first: datetime, count: int, price: str = "100.00") -> None:
        """Fill one interval with `count` candles at one price from `first` on; the last one counts as running."""
        start = int(first.timestamp())
        rows = (start + number * interval_min * 60 for number in range(count))
        self.candles[interval_min] = [(at, price, price, price, price, "1.00000000") for at in rows]


@dataclass(slots=True)
class PublicMarket:
    """What the venue would answer. Tests change it while the server runs."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    """By Kraken's key."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The venue's own clock, for Time and SystemStatus."""
    system_status: str = "online"

    def add(self, pair: Pair) -> Pair:
        """List a pair."""
        self.pairs[pair.key] = pair
        return pair

    def named(self, name: str | None) -> Pair:
        """The pair of this key, altname or wsname. Raises ApiError as Kraken does."""
        for pair in self.pairs.values():
            if name in {pair.key, pair.altname, pair.wsname}:
                return pair
        raise ApiError("EQuery:Unknown asset pair")


def small_market() -> PublicMarket:
    """Three pairs of today's spelling: ZEC/USD, BTC/USD (XBT) and DOGE/USD (XDG)."""
    market = PublicMarket()
    market.add(Pair("XZECZUSD", "ZECUSD", "ZEC/USD", bid="510.10", ask="510.20", last="510.15"))
    market.add(
        Pair("XXBTZUSD", "XBTUSD", "XBT/USD", "0.1", 1, 8, "0.00005", bid="91000.0", ask="91000.1", last="91000.1")
    )
    market.add(
        Pair("XDGUSD", "XDGUSD", "XDG/USD", "0.0000001", 7, 8, "13", bid="0.1512340", ask="0.1512350", last="0.15")
    )
    return market


class KrakenPublic:
    """The server: `async with KrakenPublic() as venue` gives `venue.url`, `venue.market` and `venue.requests`."""

    def __init__(self, market: PublicMarket | None = None) -> None:
        self.market = market if market is not None else small_market()
        self.requests: list[tuple[str, dict[str, str]]] = []
        """(endpoint, query) of every call, failed ones included."""
        self.slow_s = 5.0
        self.url = ""
        self._faults: dict[str, tuple[Fault, int | None]] = {}
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        for endpoint in ANSWERS:
            app.router.add_get(f"/0/public/{endpoint}", self.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def fail(self, fault: Fault, times: int | None = None, endpoint: str = "") -> None:
        """Answer the next `times` calls (all, when None) of `endpoint` (any, when empty) with `fault`."""
        self._faults[endpoint] = (fault, times)

    def recover(self) -> None:
        """Answer properly again."""
        self._faults.clear()

    def asked(self, endpoint: str) -> list[dict[str, str]]:
        """The queries of every call of this endpoint, in order."""
        return [query for name, query in self.requests if name == endpoint]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or fail as the faults say."""
        endpoint = request.path.rpartition("/")[2]
        query = dict(request.query)
        self.requests.append((endpoint, query))
        fault = self._next_fault(endpoint)
        if fault is Fault.SLOW:
            await self._wait()
        elif fault is not None:
            return _faulty(fault, request)
        try:
            return web.json_response({"error": [], "result": ANSWERS[endpoint](self.market, query)})
        except ApiError as error:
            return web.json_response({"error": [str(error)]})

    def _next_fault(self, endpoint: str) -> Fault | None:
        name = endpoint if endpoint in self._faults else ""
        fault, times = self._faults.get(name, (None, None))
        if times is not None and fault is not None:
            self._faults[name] = (fault, times - 1)
            return fault if times > 0 else None
        return fault

    async def _wait(self) -> None:
        waiting = asyncio.ensure_future(self._closing.wait())
        await asyncio.wait({waiting}, timeout=self.slow_s)
        waiting.cancel()


def _faulty(fault: Fault, request: web.Request) -> web.StreamResponse:
    page = "<html><body>Bad gateway</body></html>"
    if fault in {Fault.UNAVAILABLE, Fault.RATE_LIMIT}:
        return web.json_response({"error": [fault.value]})
    if fault is Fault.NO_RESULT:
        return web.json_response({"error": []})
    if fault is Fault.BROKEN_JSON:
        return web.Response(text='{"error":[],"result":{"XZECZUSD":', content_type="application/json")
    if fault is Fault.DROP and request.transport is not None:
        request.transport.abort()
    return web.Response(text=page, content_type="text/html", status=200 if fault is Fault.HTML_200 else 502)


# -- endpoints ---------------------------------------------------------------------------------------------------


def _time(market: PublicMarket, _query: dict[str, str]) -> Json:
    now = market.now()
    return {"unixtime": int(now.timestamp()), "rfc1123": now.strftime("%a, %d %b %y %H:%M:%S +0000")}


def _system_status(market: PublicMarket, _query: dict[str, str]) -> Json:
    return {"status": market.system_status, "timestamp": market.now().strftime("%Y-%m-%dT%H:%M:%SZ")}


def _assets(market: PublicMarket, _query: dict[str, str]) -> Json:
    names = sorted({name for pair in market.pairs.values() for name in pair.wsname.split("/")})
    row = {"aclass": "currency", "decimals": 10, "display_decimals": 5, "status": "enabled"}
    return {asset_code(name): {**row, "altname": name} for name in names}


def asset_code(name: str) -> str:
    """Kraken's code of an asset by its altname: the oldest ones carry an X, money carries a Z, the others nothing."""
    if name in FIAT:
        return f"Z{name}"
    return f"X{name}" if name in OLD_COINS else name


def _asset_pairs(market: PublicMarket, query: dict[str, str]) -> Json:
    return {pair.key: pair_row(pair) for pair in _asked_for(market, query, market.pairs.values())}


def pair_row(pair: Pair) -> Json:
    """One row of AssetPairs."""
    base, _, quote = pair.wsname.partition("/")
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": asset_code(base),
        "aclass_quote": "currency",
        "quote": asset_code(quote),
        "cost_decimals": 5,
        "pair_decimals": pair.pair_decimals,
        "lot_decimals": pair.lot_decimals,
        "lot_multiplier": 1,
        "ordermin": pair.ordermin,
        "costmin": pair.costmin,
        "tick_size": pair.tick_size,
        "status": pair.status,
    }


def _ticker(market: PublicMarket, query: dict[str, str]) -> Json:
    return {pair.key: _ticker_row(pair) for pair in _asked_for(market, query, market.pairs.values())}


def _ticker_row(pair: Pair) -> Json:
    return {
        "a": [pair.ask, "1", "1.000"],
        "b": [pair.bid, "1", "1.000"],
        "c": [pair.last, "0.10000000"],
        "v": ["1.00000000", "2.00000000"],
        "p": [pair.last, pair.last],
        "t": [1, 2],
        "l": [pair.last, pair.last],
        "h": [pair.last, pair.last],
        "o": pair.last,
    }


def _depth(market: PublicMarket, query: dict[str, str]) -> Json:
    pair = market.named(query.get("pair"))
    count = int(query.get("count", "100"))
    at = int(market.now().timestamp())
    asks = pair.asks or [(pair.ask, "1.000")]
    bids = pair.bids or [(pair.bid, "1.000")]
    return {pair.key: {"asks": [[*row, at] for row in asks[:count]], "bids": [[*row, at] for row in bids[:count]]}}


def _trades(market: PublicMarket, query: dict[str, str]) -> Json:
    pair = market.named(query.get("pair"))
    count = min(int(query.get("count", str(TRADES_MAX))), TRADES_MAX)
    if "since" in query:
        since = _nanoseconds(query["since"])
        found = [trade for trade in pair.trades if trade[0] > since][:count]
    else:
        found = pair.trades[-count:]
    rows = [
        [price, volume, round(at / NANOSECONDS, 7), "b", "m", "", number]
        for number, (at, price, volume) in enumerate(found, start=1)
    ]
    return {pair.key: rows, "last": str(found[-1][0] if found else query.get("since", "0"))}


def _nanoseconds(text: str) -> int:
    """Kraken takes seconds and nanoseconds alike; what is too small to be nanoseconds is seconds."""
    value = Decimal(text)
    return int(value * NANOSECONDS) if value < NANOSECONDS * 100 else int(value)


def _ohlc(market: PublicMarket, query: dict[str, str]) -> Json:
    pair = market.named(query.get("pair"))
    interval_min = int(query.get("interval", "1"))
    if interval_min not in INTERVALS_MIN:
        raise ApiError("EGeneral:Invalid arguments")
    rows = pair.candles.get(interval_min, [])[-OHLC_ROWS_MAX:]
    wanted = [row for row in rows if row[0] > int(query.get("since", "0"))]
    shown = [[at, o, high, low, c, c, volume, 1] for at, o, high, low, c, volume in wanted]
    return {pair.key: shown, "last": rows[-2][0] if len(rows) > 1 else 0}


def _asked_for(market: PublicMarket, query: dict[str, str], everything: Iterable[Pair]) -> Sequence[Pair]:
    if "pair" not in query:
        return list(everything)
    return [market.named(name) for name in query["pair"].split(",")]


ANSWERS: dict[str, Callable[[PublicMarket, dict[str, str]], Json]] = {
    "Time": _time,
    "SystemStatus": _system_status,
    "Assets": _assets,
    "AssetPairs": _asset_pairs,
    "Ticker": _ticker,
    "Depth": _depth,
    "Trades": _trades,
    "OHLC": _ohlc,
}
"""By endpoint, for every server that shows this market."""
