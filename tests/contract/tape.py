"""One tape of prices, played through a desk: what was asked for, and what came of it.

The PAPER desk stands in a market made by hand, the LIVE desk before the stand-in for Kraken; both live on a clock that
the tape moves, and both are told the same sentences after the same prices.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Protocol, cast

import pytest

from bot.grammar.parse import Grammar, Parsed
from bot.wiring import open_house
from core.domain.brackets import Bracket, BracketState, ExitReason
from core.domain.market import Quote
from core.domain.modes import Mode, TargetMode
from core.domain.money import floor_to
from core.domain.orders import Order, OrderType, Role, Side
from core.exchange.budget import RestBudget, Tier, TradingBudget
from core.exchange.kraken_market import KrakenMarketData
from core.exchange.kraken_private import KrakenExchangeWrapper
from core.exchange.pacing import TokenBucket
from core.trading.desk import Desk
from core.trading.execute import execute_trading_command
from core.trading.reply import Reply
from core.trading.service import TradingService
from tests.contract.venues import FastTime, on_one_clock
from tests.core.exchange.kraken_rig import no_wait
from tests.live_kit import live_settings
from tests.rig import START, Rig, SettableClock, Wiring, open_rig
from tests.standins.kraken import KrakenStandIn, audit

STEP_S = 30.0
"""Between two prices. Longer than anything that a desk waits for of its own accord."""
TICK = Decimal("0.01")
D = Decimal


@dataclass(frozen=True)
class Tape:
    """Prices of one symbol, and what is said after which of them."""

    symbol: str
    prices: tuple[Decimal, ...]
    said: tuple[tuple[int, str], ...]

    def at(self, step: int) -> list[str]:
        """What is said after this price."""
        return [text for when, text in self.said if when == step]


@dataclass(frozen=True)
class World:
    """How LIVE is set, and what Kraken does with the coins of a resting stop."""

    entry_stop: str
    stop_holds: bool


@dataclass(frozen=True)
class Decided:
    """One order that a desk made: in which interval, for which of its trades, and what kind."""

    step: int
    trade: int
    role: Role
    side: Side
    type: OrderType


@dataclass(frozen=True)
class Ending:
    """How one trade ended."""

    step: int
    reason: ExitReason
    quantity: Decimal
    result: Decimal


@dataclass(frozen=True)
class Story:
    """What a desk made of a tape."""

    decided: tuple[Decided, ...]
    endings: tuple[Ending, ...]
    protests: tuple[str, ...]
    """What was said and refused, with the code."""


class DeskOnTape(Protocol):
    """A desk and the market around it."""

    desk: Desk
    service: TradingService
    grammar: Grammar

    def print_price(self, symbol: str, price: Decimal) -> None:
        """An interval later, the market trades at this price."""
        ...


# -- tapes -----------------------------------------------------------------------------------------------------------


def generated_tape(seed: int, steps: int = 140) -> Tape:
    """A walk of half a percent a step, from where ZEC/USD stands."""
    random = Random(seed)
    prices = [D(512)]
    while len(prices) < steps:
        prices.append(floor_to(prices[-1] * D(str(1 + random.gauss(0, 0.005))), TICK))
    return Tape("ZEC/USD", tuple(prices), said_over(prices, "ZEC/USD", "0.04", "0.1", "0.055"))


def said_over(prices: Sequence[Decimal], symbol: str, *sizes: str) -> tuple[tuple[int, str], ...]:
    """Purchases in turn: at market and at a limit, with narrow, wide and absolute levels; at last, flatten."""
    said: list[tuple[int, str]] = []
    for number, step in enumerate(range(2, len(prices) - 12, 9)):
        last, size = prices[step], sizes[number % len(sizes)]
        below, above, limit = (floor_to(last * D(one), TICK) for one in ("0.985", "1.012", "0.996"))
        said.append(
            (
                step,
                (
                    f"buy {size} {symbol} market SL 1% TP 2%",
                    f"buy {size} {symbol} market SL 2% TP 1%",
                    f"buy {size} {symbol} market stop {below} target {above}",
                    f"buy {size} {symbol} limit {limit} SL 0.7% TP 1.5%",
                )[number % 4],
            )
        )
    return (*said, (len(prices) - 1, "flatten"))


# -- desks -----------------------------------------------------------------------------------------------------------


@dataclass
class PaperOnTape:
    """The PAPER desk over a market made by hand."""

    rig: Rig

    def __post_init__(self) -> None:
        self.desk, self.service, self.grammar = self.rig.desk, self.rig.service, self.rig.grammar

    def print_price(self, symbol: str, price: Decimal) -> None:
        self.rig.time.pass_s(STEP_S - 1)
        self.rig.hand.trade(symbol, price)


@asynccontextmanager
async def paper_on_tape(tape: Tape) -> AsyncIterator[DeskOnTape]:
    """A PAPER desk before the first price."""
    async with open_rig(Wiring(target_mode=TargetMode.EMULATED)) as rig:
        rig.hand.price(tape.symbol, tape.prices[0])
        yield PaperOnTape(rig)


@dataclass
class LiveOnTape:
    """The LIVE desk before the stand-in, which hears prices as a stream would tell them."""

    kraken: KrakenStandIn
    clock: SettableClock
    market: KrakenMarketData
    service: TradingService
    grammar: Grammar

    def __post_init__(self) -> None:
        self.desk = self.service.desk(Mode.LIVE)

    def print_price(self, symbol: str, price: Decimal) -> None:
        self.clock.pass_s(STEP_S)
        self.kraken.account.trade(symbol, format(price, "f"))
        self.hear(symbol)

    def hear(self, symbol: str) -> None:
        """Tell the market data what the stand-in quotes."""
        shown = self.kraken.account.quote(self.kraken.account.pair(symbol))
        self.market.hear([Quote(symbol, shown.bid, shown.ask, shown.last, self.clock(), "kraken")])


@asynccontextmanager
async def live_on_tape(
    tape: Tape, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DeskOnTape]:
    """A LIVE desk before the first price. Nothing on it is doubled, oversold or forbidden afterwards."""
    clock = SettableClock(START)
    monkeypatch.setattr("bot.wiring.wall_clock", clock)
    async with KrakenStandIn(balances={"USD": D(10_000)}, stop_holds=world.stop_holds) as kraken:
        on_one_clock(kraken, clock)
        kraken.account.trade(tape.symbol, format(tape.prices[0], "f"))
        settings = live_settings(folder, kraken, target_mode="emulated", entry_stop=world.entry_stop, kraken_tier="pro")
        house = await open_house(settings)
        try:
            market = cast("KrakenMarketData", house.market)
            _without_waits(market, house.service.desk(Mode.LIVE), clock)
            await house.service.start()
            live = LiveOnTape(kraken, clock, market, house.service, house.grammar)
            assert live.desk.ready, live.desk.not_ready_because
            live.hear(tape.symbol)
            yield live
        finally:
            await house.close()
        assert audit(kraken.account) == []
        assert kraken.private.forbidden == []


def _without_waits(market: KrakenMarketData, desk: Desk, clock: SettableClock) -> None:
    """Everything of ours counts on the tape's clock, on which a wait costs nothing."""
    exchange, time = desk.exchange, FastTime(clock)
    assert isinstance(exchange, KrakenExchangeWrapper)
    market._wire._pace = TokenBucket(1000.0, 1000, sleep=no_wait)
    exchange.wire.budget = RestBudget(Tier.PRO, monotonic=time, sleep=time.sleep)
    for client in (exchange.wire.client, market._wire._client):
        client.timeout_on_exit = 0  # type: ignore[union-attr]  # ccxt sleeps a quarter of a second after closing
    exchange._monotonic = time
    exchange._trading = TradingBudget(Tier.PRO, monotonic=time)


# -- playing ---------------------------------------------------------------------------------------------------------


async def play(tape: Tape, on_tape: DeskOnTape) -> Story:
    """Every price, a look at it, and what is said then; at the end nothing is left open."""
    started_at = on_tape.desk.clock()
    protests = []
    for step, price in enumerate(tape.prices):
        if step:
            on_tape.print_price(tape.symbol, price)
        report = await on_tape.service.tick(on_tape.desk, urgent=True)
        assert report.troubles == []
        assert on_tape.desk.halted_because == ""
        for text in tape.at(step):
            reply = await _say(on_tape, text)
            if not reply.ok:
                protests.append(f"{step}: {text}: {reply.code}")
    await on_tape.service.tick(on_tape.desk, urgent=True)
    return _story(on_tape.desk, started_at, tuple(protests))


async def _say(on_tape: DeskOnTape, text: str) -> Reply:
    understood = on_tape.grammar.parse(text)
    assert isinstance(understood, Parsed), f"{text!r} is not understood: {understood}"
    return await execute_trading_command(on_tape.service, understood.command, on_tape.desk.mode)


def _story(desk: Desk, started_at: datetime, protests: tuple[str, ...]) -> Story:
    """Told from the ledger, in the order in which the trades were begun."""
    ever = started_at - timedelta(days=1), desk.clock() + timedelta(days=1)
    assert desk.ledger.unfinished() == ()
    brackets = sorted(desk.ledger.closed_between(*ever), key=lambda one: one.created_at)

    def step_of(moment: datetime | None) -> int:
        assert moment is not None
        # The times of what the venue made are read on its clock, half a second off ours.
        return round((moment - started_at).total_seconds() / STEP_S)

    def decided(trade: int, order: Order) -> Decided:
        return Decided(step_of(order.created_at), trade, order.role, order.side, order.type)

    made = [decided(trade, order) for trade, bracket in enumerate(brackets) for order in bracket.orders]
    endings = tuple(_ending(bracket, step_of(bracket.closed_at)) for bracket in brackets)
    return Story(tuple(made), endings, protests)


def _ending(bracket: Bracket, step: int) -> Ending:
    assert bracket.state is BracketState.CLOSED
    assert bracket.close_reason is not None
    assert bracket.held == 0
    return Ending(step, bracket.close_reason, bracket.bought, bracket.result_quote or D(0))
