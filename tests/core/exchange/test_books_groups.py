"""Linked legs and amendments in the paper venue's books: one pile of coins is promised once and sold once."""

from decimal import Decimal

import pytest

from core.domain.orders import Side
from core.domain.venue import VenueState
from core.exchange.books import Journal, PaperBooks, PaperRefusalError
from core.exchange.matching import Friction
from tests.core.exchange.paper_samples import (
    amend,
    book,
    books,
    candle,
    on_candle,
    on_print,
    order,
    place,
    prices,
    shown,
    trade,
)

D = Decimal


def linked(quantity: str = "10") -> PaperBooks:
    """All coins of the account behind a stop at 90 and a target at 110."""
    account = books()
    place(account, order("stop", Side.SELL, quantity, stop="90", group="b"))
    place(account, order("target", Side.SELL, quantity, limit="110", group="b"))
    return account


def test_linked_legs_hold_the_coins_once() -> None:
    assert linked().held() == {"ZEC": D(10)}


def test_a_group_holds_what_its_larger_side_needs() -> None:
    account = books()
    place(account, order("s1", Side.SELL, "2", stop="90", group="b"))
    place(account, order("s2", Side.SELL, "3", stop="91", group="b"))
    place(account, order("t", Side.SELL, "4", limit="110", group="b"))
    assert account.held() == {"ZEC": D(5)}


def test_two_groups_hold_their_own_coins_each() -> None:
    account = books()
    for group in ("b", "c"):
        place(account, order(f"stop-{group}", Side.SELL, "5", stop="90", group=group))
        place(account, order(f"target-{group}", Side.SELL, "5", limit="110", group=group))
    assert account.held() == {"ZEC": D(10)}
    with pytest.raises(PaperRefusalError, match="EOrder:Insufficient funds"):
        place(account, order("more", Side.SELL, "0.01", stop="80", group="d"))


def test_a_second_leg_that_needs_more_than_there_is_is_refused() -> None:
    account = books()
    place(account, order("stop", Side.SELL, "10", stop="90", group="b"))
    with pytest.raises(PaperRefusalError, match="EOrder:Insufficient funds"):
        place(account, order("target", Side.SELL, "10.001", limit="110", group="b"))


def test_a_partial_fill_of_one_leg_shrinks_the_other_in_the_same_journal() -> None:
    account = linked()
    account.journal = Journal()
    on_print(account, trade("111", "4"))
    assert (shown(account, "target").filled, shown(account, "stop").quantity) == (D(4), D(6))
    assert [fill.quantity for fill in account.journal.fills] == [D(4)]
    assert set(account.journal.orders) == {"PX-stop", "PX-target"}
    assert account.journal.balances == {"ZEC": D(6), "USD": D(1440)}
    assert account.held() == {"ZEC": D(6)}


def test_the_full_fill_of_one_leg_cancels_the_other() -> None:
    account = linked()
    on_print(account, trade("111", "40"))
    assert (shown(account, "target").state, shown(account, "stop").state) == (VenueState.CLOSED, VenueState.CANCELED)
    assert account.open_orders() == []
    assert account.held() == {}


def test_a_stop_filled_in_pieces_takes_the_target_down_piece_by_piece() -> None:
    account = linked()
    for quantity in ("3", "3", "3", "3"):
        on_print(account, trade("89", quantity))
    assert [amount for _, amount in prices(account, "stop")] == [D(3), D(3), D(3), D(1)]
    assert (shown(account, "target").state, shown(account, "target").filled) == (VenueState.CANCELED, D(0))
    assert account.balances["ZEC"] == D(0)


def test_both_legs_traded_in_turn_sell_the_coins_once() -> None:
    account = linked()
    on_print(account, trade("111", "4"))
    on_print(account, trade("89", "100"))
    assert (shown(account, "target").filled, shown(account, "stop").filled) == (D(4), D(6))
    assert account.balances["ZEC"] == D(0)
    assert account.open_orders() == []


def test_a_target_fill_shrinks_the_newest_of_several_stops_first() -> None:
    account = books()
    place(account, order("s1", Side.SELL, "4", stop="90", group="b"))
    place(account, order("s2", Side.SELL, "6", stop="91", group="b"))
    place(account, order("t", Side.SELL, "10", limit="110", group="b"))
    on_print(account, trade("111", "7"))
    assert shown(account, "s2").state is VenueState.CANCELED
    assert shown(account, "s1").quantity == D(3)


def test_an_amended_stop_is_still_shrunk_by_its_age() -> None:
    account = books()
    place(account, order("s1", Side.SELL, "4", stop="90", group="b"))
    place(account, order("s2", Side.SELL, "6", stop="91", group="b"))
    place(account, order("t", Side.SELL, "10", limit="110", group="b"))
    amend(account, "s1", quantity="4", stop="92")
    on_print(account, trade("111", "4"))
    assert (shown(account, "s1").quantity, shown(account, "s2").quantity) == (D(4), D(2))


def test_a_fill_in_one_group_leaves_the_other_group_alone() -> None:
    account = books()
    for group, target in (("b", "110"), ("c", "120")):
        place(account, order(f"stop-{group}", Side.SELL, "5", stop="90", group=group))
        place(account, order(f"target-{group}", Side.SELL, "5", limit=target, group=group))
    on_print(account, trade("115", "100"))
    assert shown(account, "stop-b").state is VenueState.CANCELED
    assert (shown(account, "stop-c").state, shown(account, "stop-c").quantity) == (VenueState.OPEN, D(5))


def test_canceling_one_leg_keeps_the_other() -> None:
    account = linked()
    account.cancel("target")
    assert [one.shown.client_id for one in account.open_orders()] == ["stop"]
    assert account.held() == {"ZEC": D(10)}


# -- amendments --------------------------------------------------------------------------------------------------------


def test_an_amended_stop_keeps_its_names_and_triggers_at_its_new_price() -> None:
    account = books()
    place(account, order("1", Side.SELL, "2", stop="90"))
    done = amend(account, "1", quantity="3", stop="95")
    assert (done.shown.venue_id, done.shown.quantity, done.shown.trigger_price) == ("PX-1", D(3), D(95))
    on_print(account, trade("95"))
    assert prices(account, "1") == [(D(95), D(3))]


def test_an_amendment_to_a_price_that_trades_trades_at_once() -> None:
    account = books()
    depth = book({"99": "1", "98": "2"}, {"101": "1", "102": "2"})
    place(account, order("buy", Side.BUY, "2", limit="90"))
    place(account, order("sell", Side.SELL, "2", limit="110"))
    bought = amend(account, "buy", quantity="2", limit="101", depth=depth)
    sold = amend(account, "sell", quantity="2", limit="98", depth=depth)
    assert prices(account, "buy") == [(D(101), D(1))]
    assert prices(account, "sell") == [(D(99), D(1)), (D(98), D(1))]
    assert (bought.shown.state, sold.shown.state) == (VenueState.OPEN, VenueState.CLOSED)


def test_a_marketable_amendment_pays_the_taker_fee() -> None:
    account = books(Friction())
    place(account, order("1", Side.BUY, "1", limit="90"))
    amend(account, "1", quantity="1", limit="100")
    assert shown(account, "1").fee == D("0.4")


def test_a_stop_amended_to_the_market_sells_at_once_and_shrinks_its_target() -> None:
    account = linked()
    amend(account, "stop", quantity="10", stop="100", depth=book({"99": "4"}, {}))
    assert prices(account, "stop") == [(D(99), D(4))]
    assert shown(account, "target").quantity == D(6)
    on_print(account, trade("120", "2"))
    assert shown(account, "stop").filled == D(6), "a triggered stop goes on selling before the target"


def test_an_amendment_of_the_quantity_alone_does_not_trade() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    amend(account, "1", quantity="2", limit="90", last="80")
    assert prices(account, "1") == []


@pytest.mark.parametrize(
    ("quantity", "limit", "words"),
    [
        ("1", "90", "EGeneral:Invalid arguments:order_qty"),
        ("0.5", "90", "EGeneral:Invalid arguments:order_qty"),
        ("1.005", "90", "EGeneral:Invalid arguments:volume minimum not met"),
        ("2.0001", "90", "EGeneral:Invalid arguments:volume minimum not met"),
        ("2", "90.001", "EOrder:Tick size check failed"),
        ("2", "0", "EOrder:Tick size check failed"),
        ("100", "90", "EOrder:Insufficient funds"),
    ],
)
def test_a_refused_amendment_changes_nothing(quantity: str, limit: str, words: str) -> None:
    account = books()
    place(account, order("1", Side.BUY, "2", limit="90"))
    on_print(account, trade("80", "1"))
    before, account.journal = dict(account.orders), Journal()
    with pytest.raises(PaperRefusalError) as refusal:
        amend(account, "1", quantity=quantity, limit=limit)
    assert str(refusal.value) == words
    assert (account.orders, bool(account.journal)) == (before, False)


def test_a_leg_cannot_be_amended_beyond_the_coins_that_there_are() -> None:
    account = linked()
    with pytest.raises(PaperRefusalError, match="EOrder:Insufficient funds"):
        amend(account, "target", quantity="10.001", limit="110")
    assert account.held() == {"ZEC": D(10)}


def test_an_amended_order_keeps_its_place_in_the_queue() -> None:
    account = books(Friction(D(0), D(0), D(0), D(10)))
    place(account, order("1", Side.BUY, "1", limit="90"))
    place(account, order("2", Side.BUY, "1", limit="90"))
    amend(account, "1", quantity="2", limit="90")
    assert [one.shown.client_id for one in account.open_orders()] == ["1", "2"]
    on_candle(account, candle(("95", "96", "80", "85"), "10"))
    assert (shown(account, "1").filled, shown(account, "2").filled) == (D(1), D(0))


def test_a_refused_amendment_keeps_the_orders_place_in_the_queue() -> None:
    account = books()
    place(account, order("1", Side.BUY, "1", limit="90"))
    place(account, order("2", Side.BUY, "1", limit="90"))
    with pytest.raises(PaperRefusalError):
        amend(account, "1", quantity="1000", limit="90")
    assert [one.shown.client_id for one in account.open_orders()] == ["1", "2"]
