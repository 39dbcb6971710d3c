"""The paper venue's books while the market moves: prints, candles, gaps, and who gets how much of the volume."""

from decimal import Decimal

import pytest

from core.domain.orders import Side
from core.domain.venue import VenueState
from core.exchange.matching import Friction
from tests.core.exchange.paper_samples import (
    ZEC,
    books,
    candle,
    later,
    on_candle,
    on_print,
    order,
    place,
    prices,
    quote,
    shown,
    trade,
)

D = Decimal
SPREAD = Friction(D(0), D(0), D("0.5"), D(100))
TENTH = Friction(D(0), D(0), D(0), D(10))


def test_a_limit_is_not_filled_by_a_trade_at_its_price() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    on_print(account, trade("90"))
    assert prices(account, "1") == []
    on_print(account, trade("89.99"))
    assert prices(account, "1") == [(D(90), D(1))]


def test_a_limit_fills_for_the_volume_that_traded_through_and_no_more() -> None:
    account = books()
    place(account, order("1", Side.BUY, "2", limit="90"))
    on_print(account, trade("89", "0.5"))
    assert (shown(account, "1").filled, shown(account, "1").state) == (D("0.5"), VenueState.OPEN)
    on_print(account, trade("89", "5"))
    assert (shown(account, "1").filled, shown(account, "1").state) == (D(2), VenueState.CLOSED)


def test_orders_share_the_volume_of_a_trade_the_oldest_first() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    place(account, order("2", Side.BUY, "1", limit="95"))
    on_print(account, trade("80", "1.25"))
    assert (shown(account, "1").filled, shown(account, "2").filled) == (D(1), D("0.25"))


def test_a_trade_smaller_than_a_lot_fills_nothing() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    on_print(account, trade("80", "0.0009"))
    assert prices(account, "1") == []


def test_a_trade_before_an_order_was_opened_does_not_concern_it() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    on_print(account, trade("80", seconds=-1))
    on_candle(account, candle(("80", "81", "79", "80"), seconds=-1))
    assert prices(account, "1") == []


def test_a_stop_triggers_on_the_last_price_and_sells_half_a_spread_below_it() -> None:
    account = books(SPREAD)
    place(account, order("1", Side.SELL, "1", stop="90"))
    on_print(account, trade("90.01"))
    assert prices(account, "1") == []
    on_print(account, trade("90"))
    assert prices(account, "1") == [(D("89.55"), D(1))]


def test_a_stop_below_a_gap_sells_at_the_market_and_not_at_its_trigger() -> None:
    account = books(SPREAD)
    place(account, order("1", Side.SELL, "1", stop="90"))
    on_print(account, trade("70"))
    assert prices(account, "1") == [(D("69.65"), D(1))]


def test_a_triggered_stop_sells_its_rest_wherever_the_market_is_then() -> None:
    account = books()
    place(account, order("1", Side.SELL, "2", stop="90"))
    on_print(account, trade("89", "0.5"))
    on_print(account, trade("95", "5"))
    assert prices(account, "1") == [(D(89), D("0.5")), (D(95), D("1.5"))]


def test_stops_come_before_limits_when_volume_is_short() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    place(account, order("2", Side.SELL, "1", stop="90"))
    on_print(account, trade("89", "1"))
    assert (shown(account, "1").filled, shown(account, "2").filled) == (D(0), D(1))


def test_all_our_orders_together_take_a_tenth_of_a_candles_volume() -> None:
    account = books(TENTH)
    for name in ("1", "2", "3"):
        place(account, order(name, Side.BUY, "1", limit="90"))
    on_candle(account, candle(("95", "96", "80", "85"), "15"))
    assert [shown(account, name).filled for name in ("1", "2", "3")] == [D(1), D("0.5"), D(0)]


def test_a_candle_without_volume_fills_nothing_but_wakes_a_stop() -> None:
    account = books()
    place(account, order("1", Side.SELL, "1", stop="90"))
    on_candle(account, candle(("95", "96", "80", "85"), "0"))
    on_candle(account, candle(("97", "98", "96", "98"), "5", seconds=300))
    assert prices(account, "1") == [(D(97), D(1))]


def test_a_stop_that_waits_for_volume_sells_at_the_next_open_less_half_a_spread() -> None:
    account = books(Friction(D(0), D(0), D("0.5"), D(10)))
    place(account, order("1", Side.SELL, "2", stop="90"))
    on_candle(account, candle(("95", "96", "80", "85"), "10"))
    on_candle(account, candle(("88", "99", "80", "85"), "100", seconds=300))
    assert prices(account, "1") == [(D("89.55"), D(1)), (D("87.56"), D(1))]


def test_a_candle_that_began_before_the_order_is_not_matched_with_it() -> None:
    account = books()
    account.place(order("1", Side.BUY, "1", limit="90"), ZEC, quote("100"), None, later(0))
    on_candle(account, candle(("95", "96", "80", "85"), seconds=-300))
    assert prices(account, "1") == []
    on_candle(account, candle(("95", "96", "80", "85"), seconds=0))
    assert prices(account, "1") == [(D(90), D(1))]


def test_a_fill_inside_a_candle_is_booked_at_the_candles_end() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    on_candle(account, candle(("95", "96", "80", "85"), seconds=600))
    assert account.journal.fills[-1].at == later(900)


@pytest.mark.parametrize(("side", "limit", "expected"), [(Side.BUY, "90", "85"), (Side.SELL, "110", "115")])
def test_a_candle_that_opens_beyond_a_limit_fills_it_at_the_open(side: Side, limit: str, expected: str) -> None:
    account = books()
    place(account, order("1", side, "1", limit=limit))
    opening = expected
    on_candle(account, candle((opening, "120", "80", "100")))
    assert prices(account, "1") == [(D(expected), D(1))]


def test_a_stop_and_a_target_inside_one_candle_end_at_the_stop() -> None:
    account = books()
    place(account, order("stop", Side.SELL, "5", stop="90", group="b"))
    place(account, order("target", Side.SELL, "5", limit="110", group="b"))
    on_candle(account, candle(("100", "120", "80", "115")))
    assert prices(account, "stop") == [(D(90), D(5))]
    assert prices(account, "target") == []
    assert (shown(account, "target").state, shown(account, "target").reason) == (
        VenueState.CANCELED,
        "Linked order filled",
    )


def test_a_stop_that_only_part_of_a_candle_could_fill_leaves_the_target_nothing_of_it() -> None:
    account = books(TENTH)
    place(account, order("stop", Side.SELL, "5", stop="90", group="b"))
    place(account, order("target", Side.SELL, "5", limit="110", group="b"))
    on_candle(account, candle(("100", "120", "80", "115"), "20"))
    assert (shown(account, "stop").filled, shown(account, "target").filled) == (D(2), D(0))
    assert shown(account, "target").quantity == D(3)


def test_another_symbols_trades_leave_our_orders_alone() -> None:
    account = books(USD="1000", ZEC="10", ETH="1")
    place(account, order("1", Side.BUY, "1", limit="90"))
    other = trade("80")
    account.on_print(type(other)("ETH/USD", other.price, other.quantity, other.at), ZEC, caught_up=False)
    assert prices(account, "1") == []
