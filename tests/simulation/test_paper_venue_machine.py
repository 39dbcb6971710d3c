"""The paper venue under any sequence of orders, cancels, amendments, market moves, restarts and failing disks.

What must hold after every step stands in the invariants; what each kind of step must do stands in its rule.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Row, Table, event, select

from core.domain.market import Book, BookLevel, Candle, Print, Quote
from core.domain.money import ZERO
from core.domain.orders import OrderType, Side, TimeInForce
from core.domain.venue import VenueOrder, VenueState
from core.exchange.books import PaperBooks, PaperOrder, PaperRefusalError
from core.exchange.matching import Friction
from core.ledger import rows
from core.ledger.paper import PaperLedger
from core.market.builtin import builtin_instruments
from storage.database import Database, open_database
from storage.migrate import migrate
from tests.rig import START

ZEC = builtin_instruments()["ZEC/USD"]
MONEY = Decimal(1000)
FRICTION = Friction()
SHARE = Decimal("0.1")

prices = st.integers(min_value=8_000, max_value=12_000).map(lambda cents: Decimal(cents) / 100)
coarse = st.integers(min_value=1, max_value=1200).map(lambda hundredths: Decimal(hundredths) / 100)
fine = st.integers(min_value=1, max_value=12 * 10**8).map(lambda lots: Decimal(lots) / 10**8)
quantities = st.one_of(coarse, fine)
groups = st.sampled_from([None, "b1", "b2"])
picks = st.integers(min_value=0, max_value=9)


class PaperVenue(RuleBasedStateMachine):
    """Books in memory, rows in a database, and the market that a test makes up."""

    @initialize(last=prices)
    def open_account(self, last: Decimal) -> None:
        self.database = open_database("sqlite://")
        migrate(self.database, START)
        self.ledger = opened(self.database)
        self.now = START
        self.last = last
        self.names = 0

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()

    # -- orders --------------------------------------------------------------------------------------------------------

    @rule(side=st.sampled_from(Side), kind=st.sampled_from(OrderType), quantity=quantities, price=prices, group=groups,
          tif=st.sampled_from(TimeInForce), depth=st.one_of(st.none(), quantities))  # fmt: skip
    def place(
        self,
        side: Side,
        kind: OrderType,
        quantity: Decimal,
        price: Decimal,
        group: str | None,
        tif: TimeInForce,
        depth: Decimal | None,
    ) -> None:
        if kind is OrderType.STOP_LOSS:
            side = Side.SELL
        order = self.order(side, kind, quantity, price, group if side is Side.SELL else None, tif)
        before = state(self.ledger)
        try:
            placed = self.ledger.append_order_atomic(order, ZEC, self.quote(), self.depth(depth), self.now)
        except PaperRefusalError:
            assert state(self.ledger) == before
            return
        if kind is OrderType.MARKET or (kind is OrderType.LIMIT and tif is TimeInForce.IOC):
            assert placed.shown.state is not VenueState.OPEN or placed.shown.type is OrderType.STOP_LOSS

    @rule(share=st.integers(min_value=1, max_value=100))
    def buy_a_part_of_the_balance(self, share: int) -> None:
        available = self.ledger.books.balances["USD"] - self.ledger.books.held().get("USD", ZERO)
        quantity = ZEC.quantity(available * share / 100 / (self.last * Decimal("1.004")))
        self.place(Side.BUY, OrderType.MARKET, quantity, self.last, None, TimeInForce.GTC, None)

    @rule(group=st.sampled_from(["b1", "b2"]), below=st.integers(1, 500), above=st.integers(1, 500))
    def protect_what_is_free(self, group: str, below: int, above: int) -> None:
        books = self.ledger.books
        free = ZEC.quantity(books.balances.get("ZEC", ZERO) - books.held().get("ZEC", ZERO))
        legs = (
            (OrderType.STOP_LOSS, self.last - Decimal(below) / 100),
            (OrderType.LIMIT, self.last + Decimal(above) / 100),
        )
        for kind, price in legs:
            self.place(Side.SELL, kind, free, price, group, TimeInForce.GTC, None)

    @precondition(lambda self: self.ledger.books.orders)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        name = self.pick(pick).shown.client_id
        done = self.ledger.books.cancel(str(name))
        self.ledger.save()
        assert done.shown.state is VenueState.CANCELED
        assert self.ledger.books.by_client_id(str(name)) is None

    @precondition(lambda self: self.ledger.books.orders)
    @rule(pick=picks, quantity=quantities, price=prices, depth=st.one_of(st.none(), quantities), move=st.booleans())
    def amend(self, pick: int, quantity: Decimal, price: Decimal, depth: Decimal | None, *, move: bool) -> None:
        shown = self.pick(pick).shown
        price = price if move else shown.limit_price or shown.trigger_price or price
        is_stop = shown.type is OrderType.STOP_LOSS
        before = state(self.ledger)
        try:
            self.ledger.books.amend(
                str(shown.client_id),
                ZEC,
                quantity,
                None if is_stop else price,
                price if is_stop else None,
                self.quote(),
                self.depth(depth),
                self.now,
            )
        except PaperRefusalError:
            assert state(self.ledger) == before
            return
        self.ledger.save()

    # -- the market ----------------------------------------------------------------------------------------------------

    @rule(price=prices, quantity=quantities)
    def print_a_trade(self, price: Decimal, quantity: Decimal) -> None:
        self.now += timedelta(seconds=1)
        self.last = price
        before, sides = self.fills(), legs_of(self.ledger.books)
        self.ledger.books.on_print(Print(ZEC.symbol, price, quantity, self.now), ZEC, caught_up=False)
        self.keep()
        self.check_market_fills(before, sides, quantity)

    @rule(four=st.lists(prices, min_size=4, max_size=4), volume=st.integers(0, 100).map(Decimal))
    def close_a_candle(self, four: list[Decimal], volume: Decimal) -> None:
        low, one, two, high = sorted(four)
        candle = Candle(ZEC.symbol, self.now, 300, one, high, low, two, volume)
        self.now = candle.ends_at
        self.last = two
        before, sides = self.fills(), legs_of(self.ledger.books)
        self.ledger.books.on_candle(candle, ZEC, caught_up=False)
        self.keep()
        for fill in self.check_market_fills(before, sides, volume * SHARE):
            assert low <= fill.price <= high

    # -- life ----------------------------------------------------------------------------------------------------------

    @rule()
    def restart(self) -> None:
        self.ledger = opened(self.database)

    @rule(
        table=st.sampled_from(["paper_order", "paper_fill", "paper_balance"]),
        quantity=quantities,
        side=st.sampled_from(Side),
    )
    def place_while_the_disk_fails(self, table: str, quantity: Decimal, side: Side) -> None:
        before = state(self.ledger)
        order = self.order(side, OrderType.MARKET, quantity, self.last, None, TimeInForce.GTC)
        with failing(self.database, table), pytest.raises((OSError, PaperRefusalError)):
            self.ledger.append_order_atomic(order, ZEC, self.quote(), None, self.now)
        assert state(self.ledger) == before

    # -- what always holds ---------------------------------------------------------------------------------------------

    @invariant()
    def money_and_coins_are_what_the_fills_made_of_them(self) -> None:
        balances = {"USD": MONEY, "ZEC": ZERO}
        sides = self.sides()
        for fill in self.fills():
            assert fill.fee in fees(fill.cost)
            sign = 1 if sides[fill.venue_id] is Side.BUY else -1
            assert fill.cost == fill.price * fill.quantity
            balances["ZEC"] += sign * fill.quantity
            balances["USD"] -= sign * fill.cost + fill.fee
        assert {"ZEC": ZERO} | self.ledger.books.balances == balances

    @invariant()
    def nothing_is_oversold_and_nothing_is_promised_twice(self) -> None:
        books = self.ledger.books
        held = books.held()
        for asset, total in books.balances.items():
            assert total >= ZERO
            assert ZERO <= held.get(asset, ZERO) <= total
        assert set(held) <= set(books.balances)

    @invariant()
    def what_is_held_is_what_the_open_orders_need(self) -> None:
        books = self.ledger.books
        free = [one for one in books.open_orders() if one.group is None]
        buys = [one.remaining * (one.shown.limit_price or ZERO) for one in free if one.shown.side is Side.BUY]
        sales = [one.remaining for one in free if one.shown.side is Side.SELL]
        legs = legs_of(books)
        linked = [max(legs.get((group, kind), ZERO) for kind in (True, False)) for group in ("b1", "b2")]
        needed = {"USD": sum(buys, ZERO) * Decimal("1.004"), "ZEC": sum(sales, ZERO) + sum(linked, ZERO)}
        assert {"USD": ZERO, "ZEC": ZERO} | books.held() == needed

    @invariant()
    def an_order_is_the_sum_of_its_fills(self) -> None:
        sums: dict[str, list[Decimal]] = {}
        for fill in self.fills():
            known = sums.setdefault(fill.venue_id, [ZERO, ZERO, ZERO])
            sums[fill.venue_id] = [a + b for a, b in zip(known, (fill.quantity, fill.cost, fill.fee), strict=True)]
        for row in self.stored(rows.PAPER_ORDERS):
            assert [row.filled, row.cost, row.fee] == sums.get(row.venue_id, [ZERO, ZERO, ZERO])
            assert row.filled <= row.quantity
            assert (row.state == VenueState.CLOSED.value) is (row.filled == row.quantity)

    @invariant()
    def the_database_is_what_memory_shows(self) -> None:
        assert not self.ledger.books.journal
        assert state(opened(self.database)) == state(self.ledger)

    # -- inside --------------------------------------------------------------------------------------------------------

    def check_market_fills(self, before: list[Row[Any]], sides: "Legs", most: Decimal) -> list[Row[Any]]:
        """Volume is shared, limits are kept, and what one kind of leg sells the other gives up."""
        orders = {row.venue_id: row for row in self.stored(rows.PAPER_ORDERS)}
        new = self.fills()[len(before) :]
        assert sum((fill.quantity for fill in new), ZERO) <= most
        sold: dict[str | None, Decimal] = {}
        for fill in new:
            order = orders[fill.venue_id]
            if order.limit_price is not None:
                assert fill.price <= order.limit_price if order.side == "buy" else fill.price >= order.limit_price
            sold[order.group_id] = sold.get(order.group_id, ZERO) + fill.quantity
        after = legs_of(self.ledger.books)
        for (group, is_stop), remaining in sides.items():
            assert after.get((group, is_stop), ZERO) == max(ZERO, remaining - sold.get(group, ZERO))
        return new

    def order(
        self, side: Side, kind: OrderType, quantity: Decimal, price: Decimal, group: str | None, tif: TimeInForce
    ) -> PaperOrder:
        self.names += 1
        limit = price if kind is OrderType.LIMIT else None
        trigger = price if kind is OrderType.STOP_LOSS else None
        shown = VenueOrder(
            "", f"c-{self.names}", ZEC.symbol, side, kind, quantity, VenueState.OPEN, self.now, limit, trigger
        )
        return PaperOrder(shown, tif, group)

    def quote(self) -> Quote:
        return Quote(ZEC.symbol, self.last - ZEC.tick_size, self.last + ZEC.tick_size, self.last, self.now, "machine")

    def depth(self, quantity: Decimal | None) -> Book | None:
        """Two levels on each side of the last price, or no book."""
        if quantity is None:
            return None
        bids, asks = (
            tuple(BookLevel(self.last + sign * n * ZEC.tick_size, quantity) for n in (1, 50)) for sign in (-1, 1)
        )
        return Book(ZEC.symbol, bids, asks, self.now)

    def pick(self, number: int) -> PaperOrder:
        orders = self.ledger.books.open_orders()
        return orders[number % len(orders)]

    def keep(self) -> None:
        self.ledger.move_cursor(ZEC.symbol, self.now)
        self.ledger.save()

    def stored(self, table: Table) -> list[Row[Any]]:
        with self.database.transaction() as connection:
            return list(connection.execute(select(table)))

    def fills(self) -> list[Row[Any]]:
        return self.stored(rows.PAPER_FILLS)

    def sides(self) -> dict[str, Side]:
        return {row.venue_id: Side(row.side) for row in self.stored(rows.PAPER_ORDERS)}


Legs = dict[tuple[str, bool], Decimal]
State = tuple[dict[str, Decimal], dict[str, PaperOrder], dict[str, datetime]]


def legs_of(books: PaperBooks) -> Legs:
    """What each kind of leg of each group has still to sell."""
    found: Legs = {}
    for order in books.open_orders():
        if order.group is not None:
            key = (order.group, order.shown.type is OrderType.STOP_LOSS)
            found[key] = found.get(key, ZERO) + order.remaining
    return found


def fees(cost: Decimal) -> set[Decimal]:
    """What a maker and a taker pay, cut to the eighth place so that it is never more than was held."""
    return {
        (cost * percent / 100).quantize(Decimal("1E-8"), rounding=ROUND_DOWN)
        for percent in (Decimal("0.25"), Decimal("0.40"))
    }


def opened(database: Database) -> PaperLedger:
    ledger = PaperLedger(database, FRICTION, start_asset="USD", start_balance=MONEY)
    ledger.load()
    return ledger


def state(ledger: PaperLedger) -> State:
    return dict(ledger.books.balances), dict(ledger.books.orders), dict(ledger.cursors)


@contextmanager
def failing(database: Database, table: str) -> Iterator[None]:
    def fail(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            raise OSError("no space left on device")

    event.listen(database.engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", fail)


@pytest.mark.simulation
def test_the_books_hold_whatever_the_sequence() -> None:
    run_state_machine_as_test(
        PaperVenue, settings=settings(max_examples=settings().max_examples * 6 // 10, stateful_step_count=40)
    )
