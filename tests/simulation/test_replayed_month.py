"""A month of real candles, brackets opened by commands, and every claim that the books then make about it.

It is August 2024, with the crash of its fifth day in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from loguru import logger
from sqlalchemy import select

from core.domain.brackets import Bracket, BracketState
from core.domain.market import Candle
from core.domain.modes import Mode, TargetMode
from core.domain.money import ZERO
from core.domain.orders import Order, OrderState, Role, Side
from core.domain.venue import VenueState
from core.exchange.matching import Friction
from core.ledger import rows
from core.ledger.ledger import Ledger
from core.market.replay import ReplayMarket, Series, load_series
from tests.rig import Rig, SettableClock, Wiring, open_rig
from tests.simulation.month import ETH, Trader, Watcher, count_endings, drive

SEED = 20_240_805
MONEY = Decimal(10_000_000)
FIRST = datetime(2024, 8, 1, tzinfo=UTC)
LAST = datetime(2024, 9, 1, tzinfo=UTC)


@dataclass
class Books:
    """What both books say at the end."""

    brackets: list[Bracket]
    rig: Rig

    @property
    def orders(self) -> list[Order]:
        return [order for bracket in self.brackets for order in bracket.orders]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Thousands of log lines help nobody here."""
    logger.disable("core")
    yield
    logger.enable("core")


def month_of(series: Series) -> list[Candle]:
    first, last = (round(moment.timestamp()) for moment in (FIRST, LAST))
    return [series.candle(index) for index, start in enumerate(series.starts) if first <= start < last]


@pytest.mark.simulation
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("mode", [TargetMode.RESTING, TargetMode.EMULATED])
async def test_every_fill_of_a_replayed_month_is_one_that_its_candle_allows(
    recording: Callable[[str], Path], mode: TargetMode
) -> None:
    (series,) = load_series(recording("candles/kraken_ETH_USD_5m.parquet"))
    clock = SettableClock(FIRST)
    market = ReplayMarket([series], clock, Friction())
    print(f"seed {SEED}, {FIRST:%d.%m.%Y} to {LAST:%d.%m.%Y}, targets {mode}")
    async with open_rig(Wiring(market=market, clock=clock, target_mode=mode, balance=MONEY)) as rig:
        watcher = Watcher(rig, (await market.instruments())[ETH])
        trader = Trader(rig, SEED)
        last = await drive(rig, month_of(series), watcher, trader)
        endings = count_endings(last)
        print(dict(sorted((watcher.counts + trader.counts + endings).items())))
        must_have_happened(watcher, endings, mode)
        books = Books(all_brackets(last), last)
        check_brackets(books)
        check_orders(books)
        await check_balances(books)
        check_executed(books)
        check_protection(books)


def must_have_happened(watcher: Watcher, endings: dict[str, int], mode: TargetMode) -> None:
    """A run in which nothing happens proves nothing."""
    assert endings["brackets"] >= 300
    assert endings["stops hit"] >= 100
    assert endings["targets hit"] >= 100
    assert watcher.counts["stops gapped"] >= 1
    assert watcher.counts["stop and target in one candle"] >= 1
    assert watcher.counts["fills of candles"] >= 300
    assert watcher.counts["fills at once"] >= (200 if mode is TargetMode.RESTING else 300)


def all_brackets(rig: Rig) -> list[Bracket]:
    """Read anew from the database, as the next process would."""
    ledger = Ledger(rig.database, Mode.PAPER)
    with rig.database.transaction() as connection:
        names = [row.id for row in connection.execute(select(rows.BRACKETS.c.id))]
    found = [ledger.bracket(name) for name in names]
    return [bracket for bracket in found if bracket is not None]


def check_brackets(books: Books) -> None:
    for bracket in books.brackets:
        assert bracket.held >= ZERO, bracket
        assert bracket.bought <= bracket.quantity, bracket
        stops = sum((order.filled for order in bracket.of_role(Role.STOP)), ZERO)
        targets = sum((order.filled for order in bracket.of_role(Role.TARGET)), ZERO)
        assert not (stops >= bracket.bought and targets >= bracket.bought > ZERO), bracket
        if bracket.state is not BracketState.CLOSED:
            continue
        price = bracket.stop_price or Decimal(1)
        eth = books.rig.desk.settings.rules.instrument
        assert bracket.held == ZERO or eth.is_dust(bracket.held, price), bracket
        assert all(order.is_terminal for order in bracket.orders), bracket
        if bracket.sold > ZERO and bracket.entry is not None:
            exits = [order for order in bracket.orders if order.role is not Role.ENTRY]
            proceeds = sum((order.cost - order.fee for order in exits), ZERO)
            spent = (bracket.entry.cost + bracket.entry.fee) * bracket.sold / bracket.bought
            assert bracket.result_quote is not None
            assert abs(bracket.result_quote - (proceeds - spent)) < Decimal("1E-15")


def check_protection(books: Books) -> None:
    """No leg was refused by a venue that has the coins, so nothing was ever bare for longer than a tick."""
    refused = [(one.client_id, one.role.value, one.reason) for one in books.orders if one.state is OrderState.REJECTED]
    assert refused == []
    assert {bracket.unprotected_s for bracket in books.brackets} == {0.0}


def check_orders(books: Books) -> None:
    """Order by order, the ledger and the venue say the same, and neither knows one that the other does not."""
    with books.rig.database.transaction() as connection:
        venue = {row.client_id: row for row in connection.execute(select(rows.PAPER_ORDERS))}
    placed = {order.client_id: order for order in books.orders if order.venue_id is not None}
    assert placed.keys() == venue.keys()
    for name, order in placed.items():
        shown = venue[name]
        assert (order.venue_id, order.filled, order.cost, order.fee) == (
            shown.venue_id,
            shown.filled,
            shown.cost,
            shown.fee,
        )
        assert (order.state is OrderState.OPEN) is (shown.state == VenueState.OPEN.value), (order, shown)
        assert (order.state is OrderState.FILLED) is (shown.state == VenueState.CLOSED.value), (order, shown)
        assert sum((fill.quantity for fill in order.fills), ZERO) == order.filled
        assert sum((fill.cost for fill in order.fills), ZERO) == order.cost
        if order.state is OrderState.OPEN:
            assert (order.quantity, order.price) == (shown.quantity, shown.trigger_price or shown.limit_price)


async def check_balances(books: Books) -> None:
    """Coins and money are, to the last digit, what the ledger's brackets and orders say."""
    balances = (await books.rig.exchange.snapshot([])).balances
    sign = {Side.BUY: -1, Side.SELL: 1}
    money = sum((sign[order.side] * order.cost - order.fee for order in books.orders), MONEY)
    coins = sum((bracket.held for bracket in books.brackets), ZERO)
    assert balances["USD"].total == money
    assert (balances["ETH"].total if "ETH" in balances else ZERO) == coins


def check_executed(books: Books) -> None:
    """Everything that traded is shown exactly once, in order; nothing else is."""
    executed = books.rig.desk.ledger.executed(limit=100_000)
    traded = sorted(order.client_id for order in books.orders if order.filled > ZERO)
    assert sorted(found.order.client_id for found in executed) == traded
    times = [found.order.filled_at for found in executed if found.order.filled_at]
    assert times == sorted(times)
