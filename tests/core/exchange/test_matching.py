"""At what price, and for how much, an order trades."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Candle
from core.domain.orders import Side
from core.exchange.matching import (
    Friction,
    Match,
    limit_on_candle,
    limit_on_print,
    market_on_candle,
    share_of_volume,
    stop_on_candle,
    walk,
    worse_by_half_spread,
)
from tests.core.exchange.paper_samples import AT, SYMBOL, book, candle

D = Decimal
TICK = D("0.01")
HALF_PERCENT = Friction(half_spread_pct=D("0.5"))
LADDER = book({"99": "1", "98": "2", "90": "5"}, {"101": "1", "102": "2", "110": "5"})


def test_a_buy_walks_the_asks_from_the_best_to_what_it_needs() -> None:
    assert walk(LADDER.asks, D("2.5"), Side.BUY) == [
        Match(D(101), D(1), maker=False),
        Match(D(102), D("1.5"), maker=False),
    ]


def test_a_sale_walks_the_bids_downwards() -> None:
    assert [match.price for match in walk(LADDER.bids, D(4), Side.SELL)] == [D(99), D(98), D(90)]


def test_what_lies_beyond_the_book_stays_unfilled() -> None:
    assert sum(match.quantity for match in walk(LADDER.asks, D(100), Side.BUY)) == D(8)


@pytest.mark.parametrize(
    ("side", "limit", "taken"), [(Side.BUY, "102", "3"), (Side.SELL, "98", "3"), (Side.BUY, "100", "0")]
)
def test_a_walk_takes_nothing_worse_than_its_limit(side: Side, limit: str, taken: str) -> None:
    levels = LADDER.asks if side is Side.BUY else LADDER.bids
    assert sum((match.quantity for match in walk(levels, D(8), side, D(limit))), D(0)) == D(taken)


def test_a_limit_fills_only_when_traded_through() -> None:
    assert limit_on_print(Side.BUY, D(100), D(100)) is None
    assert limit_on_print(Side.BUY, D(100), D("99.99")) == D(100)
    assert limit_on_print(Side.SELL, D(100), D(100)) is None
    assert limit_on_print(Side.SELL, D(100), D("100.01")) == D(100)


def test_a_candle_that_only_touches_a_limit_does_not_fill_it() -> None:
    assert limit_on_candle(Side.BUY, D(95), candle(("100", "101", "95", "97"))) is None
    assert limit_on_candle(Side.SELL, D(101), candle(("100", "101", "95", "97"))) is None


def test_a_limit_inside_a_candle_fills_at_its_price_and_after_a_gap_at_the_better_open() -> None:
    inside = candle(("100", "105", "95", "97"))
    assert limit_on_candle(Side.BUY, D(96), inside) == D(96)
    assert limit_on_candle(Side.SELL, D(104), inside) == D(104)
    assert limit_on_candle(Side.BUY, D(103), inside) == D(100)
    assert limit_on_candle(Side.SELL, D(98), inside) == D(100)


def test_a_stop_is_reached_by_a_touch_and_sells_half_a_spread_below_its_trigger() -> None:
    assert stop_on_candle(D(100), candle(("103", "104", "100.01", "102")), HALF_PERCENT, TICK) is None
    assert stop_on_candle(D(100), candle(("103", "104", "99", "102")), HALF_PERCENT, TICK) == D("99.50")


def test_a_stop_touched_at_the_low_sells_at_the_low() -> None:
    assert stop_on_candle(D(100), candle(("103", "104", "100", "102")), HALF_PERCENT, TICK) == D(100)


def test_a_stop_pays_a_gap_in_full() -> None:
    gap = candle(("90", "91", "80", "85"))
    assert stop_on_candle(D(100), gap, HALF_PERCENT, TICK) == D("89.55")


def test_a_market_order_that_waited_gets_the_open_and_half_a_spread_within_the_candle() -> None:
    wide = candle(("100", "105", "95", "97"))
    assert market_on_candle(Side.BUY, wide, HALF_PERCENT, TICK) == D("100.50")
    assert market_on_candle(Side.SELL, wide, HALF_PERCENT, TICK) == D("99.50")
    flat = candle(("100", "100.10", "99.90", "100"))
    assert market_on_candle(Side.BUY, flat, HALF_PERCENT, TICK) == D("100.10")
    assert market_on_candle(Side.SELL, flat, HALF_PERCENT, TICK) == D("99.90")


def test_half_a_spread_is_rounded_against_us() -> None:
    friction = Friction(half_spread_pct=D("0.001"))
    assert worse_by_half_spread(D(100), Side.BUY, friction, TICK) == D("100.01")
    assert worse_by_half_spread(D(100), Side.SELL, friction, TICK) == D("99.99")


def test_a_sale_at_the_last_tick_still_gets_that_tick() -> None:
    assert worse_by_half_spread(TICK, Side.SELL, HALF_PERCENT, TICK) == TICK


def test_a_share_of_the_volume_is_rounded_down_to_the_lot() -> None:
    assert share_of_volume(D("12.3456"), Friction(), D("0.001")) == D("1.234")


ticks = st.integers(min_value=1, max_value=30_000).map(lambda number: number * TICK)


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    found = sorted(draw(st.lists(ticks, min_size=4, max_size=4)))
    inner = draw(st.permutations(found[1:3]))
    return Candle(SYMBOL, AT, 300, inner[0], found[3], found[0], inner[1], D(1))


@given(one=candles(), price=ticks, side=st.sampled_from(Side))
def test_no_price_of_a_candle_lies_outside_it_or_is_better_than_it_should(
    one: Candle, price: Decimal, side: Side
) -> None:
    limit = limit_on_candle(side, price, one)
    stop = stop_on_candle(price, one, HALF_PERCENT, TICK)
    market = market_on_candle(side, one, HALF_PERCENT, TICK)
    for found in (limit, stop, market):
        assert found is None or one.low <= found <= one.high
    assert stop is None or stop <= min(price, one.open)
    assert limit is None or (limit <= price if side is Side.BUY else limit >= price)
    assert market >= one.open if side is Side.BUY else market <= one.open
