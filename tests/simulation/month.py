"""Drives a real desk through recorded candles, and holds every fill against the candle that it is said to come from."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy import Row, select, text

from core.commands.base import Amount, LevelArgument
from core.commands.buy import Buy
from core.commands.cancel import Cancel
from core.commands.close import Close
from core.commands.protect import Protect
from core.commands.sell import Sell
from core.domain.brackets import LevelUnit
from core.domain.errors import Code
from core.domain.instruments import Instrument
from core.domain.market import Candle, Quote
from core.domain.money import ZERO
from core.domain.orders import OrderType, Role, Side
from core.exchange.books import PaperOrder
from core.ledger import rows
from core.risk.sizing import AmountUnit
from core.trading.reply import Reply
from tests.rig import Rig

ETH = "ETH/USD"
STEP = timedelta(minutes=5)
SHARE = Decimal("0.1")
EXPECTED_REFUSALS = {
    Code.NO_POSITION,
    Code.NOT_FOUND,
    Code.STALE_PRICES,
    Code.STOP_LOSS,
    Code.TAKE_PROFIT,
    Code.MINIMUM,
}


@dataclass
class Watcher:
    """Reads the venue's fills as they come in and holds each against the market of its moment."""

    rig: Rig
    eth: Instrument
    counts: Counter[str] = field(default_factory=Counter)
    seen: int = 0

    def new_fills(self) -> list[Row[Any]]:
        """The venue's fills since the last call, in the order of their booking."""
        query = select(rows.PAPER_FILLS).where(text("rowid > :seen")).order_by(text("rowid"))
        with self.rig.database.transaction() as connection:
            found = list(connection.execute(query, {"seen": self.seen}))
        self.seen += len(found)
        return found

    def order(self, venue_id: str) -> Row[Any]:
        """The venue's row of an order."""
        query = select(rows.PAPER_ORDERS).where(rows.PAPER_ORDERS.c.venue_id == venue_id)
        with self.rig.database.transaction() as connection:
            return connection.execute(query).one()

    def check_candle(self, candle: Candle | None, resting: dict[str, PaperOrder]) -> None:
        """Fills of one candle: of orders that rested, inside it, no better than it allows, a tenth of it at most."""
        fills = self.new_fills()
        if candle is None:
            assert fills == [], "nothing trades in an interval without a candle"
            return
        both = self._reached_both(candle, resting)
        for fill in fills:
            order = resting[fill.venue_id]
            assert order.shown.opened_at <= candle.at, (fill, order)
            assert fill.at == candle.ends_at
            assert candle.low <= fill.price <= candle.high, (fill, candle)
            self._check_price(fill, order, candle)
            name = str(order.shown.client_id).partition("-")[0]
            is_target = order.shown.type is OrderType.LIMIT and order.shown.side is Side.SELL
            assert not (name in both and is_target), "the stop comes first"
        assert sum((fill.quantity for fill in fills), ZERO) <= candle.volume * SHARE
        self.counts["fills of candles"] += len(fills)
        self.counts["stop and target in one candle"] += len(both)

    def _check_price(self, fill: Row[Any], order: PaperOrder, candle: Candle) -> None:
        shown = order.shown
        if shown.type is OrderType.STOP_LOSS:
            trigger = shown.trigger_price or ZERO
            assert order.triggered or candle.low <= trigger
            assert fill.price <= (candle.open if order.triggered else min(trigger, candle.open)), (fill, order, candle)
            self.counts["stops gapped"] += candle.open < trigger and not order.triggered
            self._check_fee(fill, Decimal("0.0040"))
            return
        limit = shown.limit_price or ZERO
        if shown.side is Side.BUY:
            assert candle.low < limit
            assert fill.price == min(limit, candle.open)
        else:
            assert candle.high > limit
            assert fill.price == max(limit, candle.open)
        self._check_fee(fill, Decimal("0.0025"))

    def check_at_once(self, quote: Quote | None) -> None:
        """Fills of orders on arrival: at the far side of the quote of that moment, as a taker, within their limit."""
        for fill in self.new_fills():
            assert quote is not None
            order = self.order(fill.venue_id)
            assert fill.at == self.rig.clock()
            assert fill.price == (quote.ask if order.side == Side.BUY.value else quote.bid), (fill, order, quote)
            if order.limit_price is not None:
                is_buy = order.side == Side.BUY.value
                assert fill.price <= order.limit_price if is_buy else fill.price >= order.limit_price
            if order.trigger_price is not None:
                assert quote.last <= order.trigger_price
            self._check_fee(fill, Decimal("0.0040"))
            self.counts["fills at once"] += 1

    @staticmethod
    def _check_fee(fill: Row[Any], rate: Decimal) -> None:
        assert fill.cost == fill.price * fill.quantity
        assert fill.fee == (fill.cost * rate).quantize(Decimal("1E-8"), rounding=ROUND_DOWN)

    def _reached_both(self, candle: Candle, resting: dict[str, PaperOrder]) -> set[str]:
        """Brackets whose resting stop and whose target lie inside this candle."""
        stops = {
            str(order.shown.client_id).partition("-")[0]: order.shown
            for order in resting.values()
            if order.shown.type is OrderType.STOP_LOSS and order.shown.opened_at <= candle.at
        }
        found = set()
        for bracket in self.rig.desk.ledger.unfinished():
            stop = stops.get(bracket.id)
            if stop is None or stop.trigger_price is None or bracket.target_price is None:
                continue
            if candle.low <= stop.trigger_price and candle.high > bracket.target_price:
                found.add(bracket.id)
        return found


@dataclass
class Trader:
    """Says the commands of a busy owner, drawn from a seed."""

    rig: Rig
    seed: int
    every: float = 20.0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    async def perhaps_say_something(self, last: Decimal) -> None:
        """On average one command each `every` candles; most of them buy."""
        if self.random.random() >= 1 / self.every:
            return
        kind = self.random.choices(("buy", "cancel", "protect", "sell", "close"), (80, 6, 6, 6, 2))[0]
        reply = await self._say(kind, last)
        assert reply.ok or reply.code in EXPECTED_REFUSALS, reply.text
        self.counts[f"{kind} {'done' if reply.ok else 'refused'}"] += 1

    async def _say(self, kind: str, last: Decimal) -> Reply:
        if kind == "buy":
            return await self.rig.run(self._buy(last))
        if kind == "cancel":
            return await self.rig.run(Cancel(target=ETH))
        if kind == "close":
            return await self.rig.run(Close(symbol=ETH))
        if kind == "sell":
            amount = Amount(value=Decimal(self.random.randint(5, 60)), unit=AmountUnit.PERCENT)
            return await self.rig.run(Sell(symbol=ETH, amount=amount))
        stop = LevelArgument(value=self._tenths(5, 25), unit=LevelUnit.PERCENT)
        return await self.rig.run(Protect(symbol=ETH, stop_loss=stop))

    def _buy(self, last: Decimal) -> Buy:
        is_limit = self.random.random() < 0.5
        large = self.random.random() < 0.3
        is_tight = self.random.random() < 0.3
        quantity = self._tenths(50, 300) if large else self._tenths(1, 20)
        away = self._tenths(-3, 12) / 100
        return Buy(
            symbol=ETH,
            amount=Amount(value=quantity, unit=AmountUnit.BASE),
            order_type="limit" if is_limit else "market",
            limit_price=(last * (1 - away)).quantize(Decimal("0.01")) if is_limit else None,
            stop_loss=self._tight() if is_tight else self._stop(last),
            take_profit=self._tight() if is_tight else self._target(last),
        )

    def _tight(self) -> LevelArgument:
        """So near that one candle of five minutes may reach both levels."""
        return LevelArgument(value=Decimal(self.random.randint(8, 30)) / 100, unit=LevelUnit.PERCENT)

    def _stop(self, last: Decimal) -> LevelArgument | None:
        return self.random.choice(
            (
                None,
                LevelArgument(value=self._tenths(5, 20), unit=LevelUnit.PERCENT),
                LevelArgument(value=self._tenths(8, 30), unit=LevelUnit.ATR),
                LevelArgument(value=(last * Decimal("0.98")).quantize(Decimal("0.01")), unit=LevelUnit.PRICE),
            )
        )

    def _target(self, last: Decimal) -> LevelArgument | None:
        return self.random.choice(
            (
                None,
                LevelArgument(value=self._tenths(5, 30), unit=LevelUnit.PERCENT),
                LevelArgument(value=self._tenths(8, 40), unit=LevelUnit.ATR),
                LevelArgument(value=self._tenths(10, 30), unit=LevelUnit.R),
                LevelArgument(value=(last * Decimal("1.015")).quantize(Decimal("0.01")), unit=LevelUnit.PRICE),
            )
        )

    def _tenths(self, low: int, high: int) -> Decimal:
        return Decimal(self.random.randint(low, high)) / 10


async def drive(
    rig: Rig, candles: Sequence[Candle], watcher: Watcher, trader: Trader, *, restart_every: int = 700
) -> Rig:
    """Step the clock candle by candle, missing ones included. Returns the rig of the last restart."""
    by_start = {candle.at: candle for candle in candles}
    at, number = candles[0].at, 0
    while at <= candles[-1].at:
        rig.time.now = at + STEP
        resting = dict(rig.paper.books.orders)
        await rig.exchange.advance()
        watcher.check_candle(by_start.get(at), resting)
        quote = await _fresh(rig, rig.time.now)
        await rig.tick()
        watcher.check_at_once(quote)
        if quote is not None:
            await trader.perhaps_say_something(quote.last)
            watcher.check_at_once(quote)
        at, number = at + STEP, number + 1
        if number % restart_every == 0:
            rig = watcher.rig = trader.rig = await rig.reopen()
            watcher.check_at_once(quote)
    return rig


async def _fresh(rig: Rig, now: datetime) -> Quote | None:
    quote = (await rig.market.quotes([ETH])).get(ETH)
    return quote if quote is not None and quote.age_s(now) <= rig.wiring.quote_age_max_s else None


def count_endings(rig: Rig) -> Counter[str]:
    """How the brackets of a run ended."""
    found: Counter[str] = Counter()
    with rig.database.transaction() as connection:
        for (bracket_id,) in connection.execute(select(rows.BRACKETS.c.id)).all():
            found["brackets"] += 1
            bracket = rig.desk.ledger._load(connection, rows.BRACKETS.c.id == bracket_id)[0]
            found[f"closed by {bracket.close_reason}" if bracket.close_reason else "open at the end"] += 1
            found["stops hit"] += any(order.filled > ZERO for order in bracket.of_role(Role.STOP))
            found["targets hit"] += any(order.filled > ZERO for order in bracket.of_role(Role.TARGET))
    return found
