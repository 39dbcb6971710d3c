"""What an order may expect of every venue: placed, traded, amended and canceled in one and the same way."""

from dataclasses import replace
from decimal import Decimal

from core.domain.money import percent_of
from core.domain.orders import OrderType, Side
from core.domain.venue import LINKED_LEG_TRADED, Accepted, Amend, Cancel, Refused, Submit, Unknown, VenueState
from core.exchange.verdicts import Proof, meaning_of
from tests.contract.subject import (
    GRAIN,
    HOME,
    TAKER_PCT,
    ZEC,
    Hand,
    Lack,
    is_close,
    is_over,
    on_every_venue,
    reason_of,
)

D = Decimal


@on_every_venue
async def test_an_accepted_market_buy_shows_as_closed_and_filled_with_cost_and_fee_in_quote(hand: Hand) -> None:
    order = await hand.buy("0.04")
    shown = await hand.shown(order)
    assert (shown.state, shown.side, shown.type) == (VenueState.CLOSED, Side.BUY, OrderType.MARKET)
    assert (shown.client_id, shown.venue_id, shown.symbol) == (order.client_id, order.venue_id, ZEC)
    assert (shown.quantity, shown.filled, shown.base_fee) == (D("0.04"), D("0.04"), D(0))
    assert is_close(shown.cost, HOME * D("0.04"))
    assert abs(shown.fee - percent_of(shown.cost, TAKER_PCT)) <= GRAIN
    assert shown.filled_at is not None
    assert order.created_at <= shown.opened_at <= shown.filled_at <= hand.subject.now()


@on_every_venue
async def test_a_limit_rests_and_shows_in_the_open_orders_with_its_price(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    shown = await hand.shown(order)
    assert (shown.state, shown.type, shown.filled, shown.cost) == (VenueState.OPEN, OrderType.LIMIT, D(0), D(0))
    assert (shown.limit_price, shown.trigger_price, shown.quantity) == (D(490), None, D("0.04"))
    [listed] = await hand.exchange.fetch_open_orders(ZEC)
    assert (listed.client_id, listed.venue_id, listed.limit_price) == ("zyc-1", order.venue_id, D(490))
    assert list(await hand.exchange.fetch_open_orders("ETH/USD")) == []
    assert len(await hand.exchange.fetch_open_orders()) == 1


@on_every_venue
async def test_a_resting_limit_fills_at_its_price_when_the_market_trades_through_it(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    await hand.subject.move("490.01")
    assert not is_over(await hand.shown(order))
    await hand.subject.move("489.90")
    shown = await hand.shown(order)
    assert (shown.state, shown.filled) == (VenueState.CLOSED, D("0.04"))
    assert is_close(shown.cost, D("19.6"))
    assert shown.cost <= D("19.6"), "a limit is a promise"


@on_every_venue
async def test_a_stop_rests_with_its_trigger_and_sells_when_the_price_falls_through_it(hand: Hand) -> None:
    await hand.buy("0.04")
    stop = await hand.place(hand.order("zyc-2", Side.SELL, "0.04", stop="480"))
    await hand.subject.move("480.01")
    shown = await hand.shown(stop)
    assert (shown.state, shown.type, shown.filled) == (VenueState.OPEN, OrderType.STOP_LOSS, D(0))
    assert (shown.trigger_price, shown.limit_price, shown.triggered) == (D(480), None, False)
    await hand.subject.move("479.50")
    sold = await hand.shown(stop)
    assert (sold.state, sold.filled, sold.trigger_price) == (VenueState.CLOSED, D("0.04"), D(480))
    assert is_close(sold.cost, D("479.50") * D("0.04"))
    assert await hand.resting() == []


@on_every_venue
async def test_an_ioc_sale_fills_at_its_limit_or_better(hand: Hand) -> None:
    await hand.buy("0.04")
    shown = await hand.shown(await hand.place(hand.order("zyc-2", Side.SELL, "0.04", limit="499", ioc=True)))
    assert (shown.state, shown.filled) == (VenueState.CLOSED, D("0.04"))
    assert shown.cost >= D(499) * D("0.04")


@on_every_venue
async def test_an_ioc_sale_above_the_market_is_canceled_with_nothing(hand: Hand) -> None:
    await hand.buy("0.04")
    shown = await hand.shown(await hand.place(hand.order("zyc-2", Side.SELL, "0.04", limit="501", ioc=True)))
    assert (shown.state, shown.filled, shown.cost, shown.fee) == (VenueState.CANCELED, D(0), D(0), D(0))
    assert await hand.resting() == []


@on_every_venue
async def test_an_ioc_sale_takes_what_the_book_has_at_its_limit_and_is_canceled_with_the_rest(hand: Hand) -> None:
    hand.needs(Lack.BOOK)
    await hand.buy("0.04")
    hand.subject.show_bids({"499.50": "0.015", "498.00": "5"})
    shown = await hand.shown(await hand.place(hand.order("zyc-2", Side.SELL, "0.04", limit="499", ioc=True)))
    assert (shown.state, shown.filled, shown.cost) == (VenueState.CANCELED, D("0.015"), D("499.50") * D("0.015"))
    assert (await hand.look()).balances["ZEC"].total == D("0.025")


@on_every_venue
async def test_a_cancel_ends_a_resting_order_as_canceled(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    assert await hand.exchange.perform(Cancel(order, ZEC)) == Accepted(order.venue_id)
    shown = await hand.shown(order)
    assert (shown.state, shown.filled, shown.cost, shown.fee) == (VenueState.CANCELED, D(0), D(0), D(0))
    assert shown.filled_at is None
    assert await hand.resting() == []


@on_every_venue
async def test_a_canceled_order_keeps_what_it_had_filled(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    await hand.subject.fill(await hand.shown(order), "489.90", "0.01")
    assert isinstance(await hand.exchange.perform(Cancel(order, ZEC)), Accepted)
    shown = await hand.shown(order)
    assert (shown.state, shown.filled, shown.quantity) == (VenueState.CANCELED, D("0.01"), D("0.04"))
    assert is_close(shown.cost, D("4.9"))
    assert (await hand.look()).balances["ZEC"].total == D("0.01")


@on_every_venue
async def test_a_cancel_or_amend_of_a_gone_order_is_refused_as_unknown(hand: Hand) -> None:
    filled = await hand.buy("0.04")
    canceled = await hand.place(hand.order("zyc-2", Side.BUY, "0.04", limit="490"))
    await hand.exchange.perform(Cancel(canceled, ZEC))
    never_sent = hand.order("zyc-3", Side.BUY, "0.04", limit="490")
    for order in (filled, canceled, never_sent):
        for action in (Cancel(order, ZEC), Amend(order, ZEC, D("0.05"), D(491), None)):
            reason = reason_of(await hand.exchange.perform(action))
            assert "Unknown order" in reason, action
            assert meaning_of(reason).proof is Proof.GONE
    assert await hand.resting() == []


@on_every_venue
async def test_an_amend_changes_quantity_and_trigger_in_place(hand: Hand) -> None:
    await hand.buy("0.04")
    stop = await hand.place(hand.order("zyc-2", Side.SELL, "0.04", stop="480"))
    before = await hand.shown(stop)
    amended = await hand.exchange.perform(Amend(stop, ZEC, D("0.03"), None, D(485)))
    assert amended == Accepted(stop.venue_id), "the name of the order, not of the amendment"
    after = await hand.shown(stop)
    assert (after.quantity, after.trigger_price, after.limit_price) == (D("0.03"), D(485), None)
    assert after == replace(before, quantity=after.quantity, trigger_price=after.trigger_price)
    await hand.subject.move("484.90")
    sold = await hand.shown(stop)
    assert (sold.state, sold.filled, sold.venue_id) == (VenueState.CLOSED, D("0.03"), stop.venue_id)


@on_every_venue
async def test_an_amend_of_a_partly_filled_order_keeps_its_names_and_fills(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    await hand.subject.fill(await hand.shown(order), "489.90", "0.01")
    before = await hand.shown(order)
    await hand.subject.move("492")
    assert isinstance(await hand.exchange.perform(Amend(order, ZEC, D("0.03"), D(491), None)), Accepted)
    after = await hand.shown(order)
    assert (after.quantity, after.limit_price, after.filled) == (D("0.03"), D(491), D("0.01"))
    assert after == replace(before, quantity=after.quantity, limit_price=after.limit_price)


@on_every_venue
async def test_an_amend_to_no_more_than_is_filled_is_refused_and_changes_nothing(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    await hand.subject.fill(await hand.shown(order), "489.90", "0.02")
    before = await hand.shown(order)
    assert reason_of(await hand.exchange.perform(Amend(order, ZEC, D("0.02"), D(490), None))).startswith("EGeneral")
    assert await hand.shown(order) == before


@on_every_venue
async def test_an_order_whose_answer_was_lost_is_amended_and_canceled_by_our_name(hand: Hand) -> None:
    nameless = hand.order("zyc-1", Side.BUY, "0.04", limit="490")
    placed = await hand.place(nameless)
    assert isinstance(await hand.exchange.perform(Amend(nameless, ZEC, D("0.05"), D(490), None)), Accepted)
    amended = await hand.shown(nameless)
    assert (amended.venue_id, amended.quantity) == (placed.venue_id, D("0.05"))
    assert isinstance(await hand.exchange.perform(Cancel(nameless, ZEC)), Accepted)
    assert (await hand.shown(nameless)).state is VenueState.CANCELED


@on_every_venue
async def test_the_same_client_id_twice_while_open_places_no_second_order(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    again = await hand.send(hand.order("zyc-1", Side.BUY, "0.07", limit="491"))
    assert isinstance(again, Refused | Unknown), again
    [only] = await hand.resting()
    assert (only.venue_id, only.quantity, only.limit_price) == (order.venue_id, D("0.04"), D(490))


@on_every_venue
async def test_an_order_that_comes_past_its_deadline_is_refused(hand: Hand) -> None:
    hand.needs(Lack.DEADLINES)
    order = hand.order("zyc-1", Side.BUY, "0.04", limit="490")
    await hand.subject.pass_s(50)
    outcome = await hand.send(order)
    assert isinstance(outcome, Refused | Unknown), outcome
    assert "zyc-1" not in (await hand.look("zyc-1")).orders


@on_every_venue
async def test_asking_whether_an_order_would_be_taken_places_nothing(hand: Hand) -> None:
    order = hand.order("zyc-1", Side.BUY, "0.04", limit="490")
    outcome = await hand.exchange.validate(Submit(order, ZEC))
    assert isinstance(outcome, Accepted | Refused), outcome
    after = await hand.look("zyc-1")
    assert after.orders == {}
    assert after.balances["USD"].held == D(0)


@on_every_venue
async def test_where_the_venue_links_legs_the_sale_of_one_ends_the_other(hand: Hand) -> None:
    if not hand.exchange.abilities.links_legs:
        return await _refuses_to_rest_linked(hand)
    await hand.buy("0.04")
    stop = await hand.place(hand.order("zyc-2", Side.SELL, "0.04", stop="480"), group="g")
    target = await hand.place(hand.order("zyc-3", Side.SELL, "0.04", limit="520"), group="g")
    await hand.subject.move("520.50")
    snapshot = await hand.look("zyc-2", "zyc-3")
    assert (snapshot.orders["zyc-3"].state, snapshot.orders["zyc-3"].filled) == (VenueState.CLOSED, target.quantity)
    assert (snapshot.orders["zyc-2"].state, snapshot.orders["zyc-2"].filled) == (VenueState.CANCELED, D(0))
    assert snapshot.orders["zyc-2"].quantity <= stop.quantity
    assert snapshot.open_orders == ()
    late = await hand.send(hand.order("zyc-4", Side.SELL, "0.04", stop="480"), group="g")
    assert reason_of(late) in {LINKED_LEG_TRADED, "EOrder:Insufficient funds"}
    return None


async def _refuses_to_rest_linked(hand: Hand) -> None:
    """A venue that links nothing declares it, so that nobody relies on it."""
    await hand.buy("0.04")
    await hand.place(hand.order("zyc-2", Side.SELL, "0.02", stop="480"), group="g")
    await hand.place(hand.order("zyc-3", Side.SELL, "0.02", limit="520"), group="g")
    await hand.subject.move("520.50")
    left = await hand.resting()
    assert [one.client_id for one in left] == ["zyc-2"]
