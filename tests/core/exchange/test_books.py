"""The paper venue's books: what trades on arrival, what it costs, and what is refused in Kraken's words."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.instruments import Instrument
from core.domain.orders import Side, TimeInForce
from core.domain.venue import Balance, VenueState
from core.exchange.books import PaperBooks, PaperOrder, PaperRefusalError
from core.exchange.matching import Friction
from tests.core.exchange.paper_samples import (
    AT,
    ZEC,
    amend,
    book,
    books,
    on_candle,
    on_print,
    order,
    place,
    prices,
    quote,
    shown,
    trade,
)
from tests.core.exchange.paper_samples import candle as candle_of

D = Decimal
KRAKEN = Friction()
DEPTH = book({"99": "1", "98": "2"}, {"101": "1", "102": "2"})


def refused(into: PaperBooks, one: PaperOrder, instrument: Instrument = ZEC, last: str = "100") -> str:
    """The venue's words; that nothing changed is part of the claim."""
    before = (dict(into.balances), dict(into.orders), bool(into.journal))
    with pytest.raises(PaperRefusalError) as refusal:
        into.place(one, instrument, quote(last), None, AT)
    assert (dict(into.balances), dict(into.orders), bool(into.journal)) == before
    return str(refusal.value)


def test_a_market_buy_walks_the_book_and_pays_the_taker_fee_of_each_level() -> None:
    account = books(KRAKEN)
    done = place(account, order("1", Side.BUY, "2"), depth=DEPTH)
    assert prices(account, "1") == [(D(101), D(1)), (D(102), D(1))]
    assert (done.shown.state, done.shown.cost, done.shown.fee) == (VenueState.CLOSED, D(203), D("0.812"))
    assert account.balances == {"USD": D(1000) - D(203) - D("0.812"), "ZEC": D(12)}


def test_what_the_book_does_not_hold_is_canceled_and_said() -> None:
    account = books()
    done = place(account, order("1", Side.SELL, "5"), depth=DEPTH)
    assert (done.shown.state, done.shown.filled) == (VenueState.CANCELED, D(3))
    assert done.shown.reason == "Order could not be filled in full"
    assert account.open_orders() == []


def test_a_market_order_into_an_empty_book_is_canceled_unfilled() -> None:
    account = books()
    done = place(account, order("1", Side.BUY, "1"), depth=book({}, {}))
    assert (done.shown.state, done.shown.filled, done.shown.reason) == (VenueState.CANCELED, D(0), "No liquidity")


def test_without_a_book_a_market_order_trades_at_the_far_side_of_the_quote() -> None:
    account = books()
    account.place(order("1", Side.BUY, "1"), ZEC, quote("100", "99", "101"), None, AT)
    account.place(order("2", Side.SELL, "1"), ZEC, quote("100", "99", "101"), None, AT)
    assert (prices(account, "1"), prices(account, "2")) == ([(D(101), D(1))], [(D(99), D(1))])


def test_a_marketable_limit_takes_what_is_no_worse_and_rests_with_the_remainder() -> None:
    account = books()
    done = place(account, order("1", Side.BUY, "2", limit="101"), depth=DEPTH)
    assert (done.shown.state, done.shown.filled) == (VenueState.OPEN, D(1))
    assert account.held() == {"USD": D(101)}


def test_an_immediate_or_cancel_limit_never_rests() -> None:
    account = books()
    partly = place(account, order("1", Side.BUY, "2", limit="101", time_in_force=TimeInForce.IOC), depth=DEPTH)
    nothing = place(account, order("2", Side.SELL, "2", limit="101", time_in_force=TimeInForce.IOC), depth=DEPTH)
    assert (partly.shown.state, partly.shown.filled) == (VenueState.CANCELED, D(1))
    assert (nothing.shown.state, nothing.shown.filled) == (VenueState.CANCELED, D(0))
    assert account.open_orders() == []
    assert account.held() == {}


def test_a_resting_limit_pays_the_maker_fee_and_a_stop_the_taker_fee() -> None:
    account = books(KRAKEN)
    place(account, order("1", Side.BUY, "1", limit="90"))
    place(account, order("2", Side.SELL, "1", stop="95"))
    on_print(account, trade("80"))
    # 80 less half a spread of 0.02 % is 79.98 on the tick.
    assert (shown(account, "1").fee, shown(account, "2").fee) == (D("0.225"), D("0.31992"))
    assert account.balances["USD"] == D(1000) - D(90) - D("0.225") + D("79.98") - D("0.31992")


def test_a_fee_is_rounded_down_to_the_eighth_place() -> None:
    account = books(KRAKEN)
    place(account, order("1", Side.BUY, "0.011", limit="90.01"))
    on_print(account, trade("80"))
    assert D("0.011") * D("90.01") * D("0.0025") == D("0.002475275")
    assert shown(account, "1").fee == D("0.00247527")


def test_a_buy_of_everything_leaves_no_debt_by_a_rounded_fee() -> None:
    fine = replace(ZEC, lot_size=D("0.00000001"))
    taken = D("0.01234567") * D(100)
    account = books(KRAKEN, USD=str(taken + taken * D("0.004")))
    with suppress(PaperRefusalError):
        account.place(order("1", Side.BUY, "0.01234567"), fine, quote("100"), None, AT)
    assert account.balances["USD"] >= 0


def test_a_limit_buy_holds_its_cost_with_the_taker_fee() -> None:
    account = books(KRAKEN)
    place(account, order("1", Side.BUY, "2", limit="90"))
    assert account.snapshot_balances()["USD"] == Balance("USD", D(1000), D("180.72"))


def test_sales_hold_their_coins_and_unlinked_ones_each_their_own() -> None:
    account = books()
    place(account, order("1", Side.SELL, "6", stop="90"))
    assert account.snapshot_balances()["ZEC"] == Balance("ZEC", D(10), D(6))
    assert refused(account, order("2", Side.SELL, "5", limit="110")) == "EOrder:Insufficient funds"
    place(account, order("3", Side.SELL, "4", limit="110"))
    assert account.held() == {"ZEC": D(10)}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (order("1", Side.BUY, "10.01"), "EOrder:Insufficient funds"),
        (order("1", Side.BUY, "10.01", limit="100"), "EOrder:Insufficient funds"),
        (order("1", Side.SELL, "10.001"), "EOrder:Insufficient funds"),
        (order("1", Side.SELL, "10.001", stop="90"), "EOrder:Insufficient funds"),
        (order("1", Side.BUY, "0.009"), "EGeneral:Invalid arguments:volume minimum not met"),
        (order("1", Side.BUY, "0"), "EGeneral:Invalid arguments:volume minimum not met"),
        (order("1", Side.BUY, "-1"), "EGeneral:Invalid arguments:volume minimum not met"),
        (order("1", Side.BUY, "0.0105"), "EGeneral:Invalid arguments:volume minimum not met"),
        (order("1", Side.BUY, "0.04", limit="12"), "EOrder:Cost minimum not met"),
        (order("1", Side.BUY, "1", limit="90.001"), "EOrder:Tick size check failed"),
        (order("1", Side.SELL, "1", stop="90.001"), "EOrder:Tick size check failed"),
        (order("1", Side.BUY, "1", limit="-90"), "EOrder:Tick size check failed"),
    ],
)
def test_the_venue_refuses_in_krakens_words_and_changes_nothing(one: PaperOrder, words: str) -> None:
    assert refused(books(), one) == words


def test_a_market_order_below_the_cost_minimum_is_refused_by_the_last_price() -> None:
    assert refused(books(), order("1", Side.BUY, "0.04"), last="12") == "EOrder:Cost minimum not met"


def test_a_market_order_that_the_walked_book_makes_too_dear_is_refused() -> None:
    account = books(USD="202.99")
    with pytest.raises(PaperRefusalError, match="EOrder:Insufficient funds"):
        place(account, order("1", Side.BUY, "2"), depth=DEPTH)
    assert account.balances == {"USD": D("202.99")}


def test_a_name_that_is_open_already_is_refused_and_free_again_after_its_end() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    assert refused(account, order("1", Side.BUY, "1", limit="80")) == "EGeneral:Invalid arguments:cl_ord_id not unique"
    account.cancel("1")
    again = replace(order("1", Side.BUY, "1", limit="80"), group=None)
    assert place(account, again).shown.state is VenueState.OPEN


@pytest.mark.parametrize("status", ["cancel_only", "post_only", "limit_only", "reduce_only", "maintenance"])
def test_an_instrument_that_is_not_online_takes_no_order(status: str) -> None:
    closed = replace(ZEC, status=status)
    assert refused(books(), order("1", Side.BUY, "1"), closed) == f"EService:Market in {status} mode"


def test_a_canceled_order_gives_back_its_hold_and_keeps_its_fills() -> None:
    account = books()
    place(account, order("1", Side.BUY, "2", limit="101"), depth=DEPTH)
    done = account.cancel("1")
    assert (done.shown.state, done.shown.filled, account.held()) == (VenueState.CANCELED, D(1), {})


def test_an_order_that_is_not_open_cannot_be_canceled_or_amended() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1"))
    with pytest.raises(PaperRefusalError, match="EOrder:Unknown order"):
        account.cancel("1")
    with pytest.raises(PaperRefusalError, match="EOrder:Unknown order"):
        amend(account, "1", quantity="1", limit="90")


def test_a_stop_placed_at_or_above_the_market_sells_at_once() -> None:
    account = books()
    done = place(account, order("1", Side.SELL, "2", stop="100"), depth=DEPTH)
    assert (done.shown.state, prices(account, "1")) == (VenueState.CLOSED, [(D(99), D(1)), (D(98), D(1))])


def test_a_stop_that_outsells_the_book_stays_triggered_and_sells_the_rest_at_the_next_trades() -> None:
    account = books()
    place(account, order("1", Side.SELL, "5", stop="100"), depth=DEPTH)
    on_print(account, trade("120", "1.5"))
    on_print(account, trade("130", "10"))
    assert prices(account, "1")[2:] == [(D(120), D("1.5")), (D(130), D("0.5"))]


def test_a_snapshot_leaves_out_what_there_is_nothing_of() -> None:
    account = books(USD="1000", ZEC="0")
    assert list(account.snapshot_balances()) == ["USD"]


def test_a_caught_up_fill_says_so_and_a_later_one_does_not() -> None:
    account = books()
    place(account, order("1", Side.BUY, "2", limit="90"))
    account.on_candle(candle_of(("89", "89", "88", "88"), "1"), ZEC, caught_up=True)
    assert account.journal.fills[-1].caught_up
    on_candle(account, candle_of(("89", "89", "88", "88"), "1", seconds=300))
    assert not account.journal.fills[-1].caught_up
