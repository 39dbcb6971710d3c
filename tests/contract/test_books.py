"""What every venue shows: whole snapshots, what is held, fills that only grow, children by their parent."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.orders import Order, OrderType, Side
from core.domain.venue import Accepted, Cancel, Reach, VenueState
from tests.contract.subject import GRAIN, SETTLED_S, ZEC, Hand, Lack, is_close, on_every_venue

D = Decimal
LONG_AGO = 55
"""More orders than Kraken shows on one page."""


@on_every_venue
async def test_a_snapshot_is_whole_and_has_open_orders_wanted_closed_ones_and_balances(hand: Hand) -> None:
    bought = await hand.buy("0.04")
    resting = await hand.place(hand.order("zyc-2", Side.BUY, "0.04", limit="490"))
    canceled = await hand.place(hand.order("zyc-3", Side.BUY, "0.04", limit="491"))
    await hand.exchange.perform(Cancel(canceled, ZEC))
    asked_at = hand.subject.now()
    snapshot = await hand.look(bought.client_id, canceled.client_id, "zyc-never")
    assert {name: one.state for name, one in snapshot.orders.items()} == {
        bought.client_id: VenueState.CLOSED,
        resting.client_id: VenueState.OPEN,
        canceled.client_id: VenueState.CANCELED,
    }
    assert snapshot.nameless == {}
    assert [one.client_id for one in snapshot.open_orders] == [resting.client_id]
    assert asked_at <= snapshot.began_at <= snapshot.at <= hand.subject.now()
    assert set(snapshot.balances) == {"USD", "ZEC"}


@on_every_venue
async def test_what_was_sent_is_seen_by_the_very_next_look(hand: Hand) -> None:
    async def states() -> dict[str, VenueState]:
        snapshot = await hand.exchange.snapshot(["zyc-1", "zyc-2"])
        return {name: one.state for name, one in snapshot.orders.items()}

    assert await states() == {}
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    assert await states() == {"zyc-1": VenueState.OPEN}
    await hand.buy("0.04", "zyc-2")
    assert await states() == {"zyc-1": VenueState.OPEN, "zyc-2": VenueState.CLOSED}
    await hand.exchange.perform(Cancel(order, ZEC))
    assert await states() == {"zyc-1": VenueState.CANCELED, "zyc-2": VenueState.CLOSED}


@on_every_venue
async def test_a_process_that_begins_anew_finds_the_same_books(hand: Hand) -> None:
    bought = await hand.buy("0.04")
    stop = await hand.place(hand.order("zyc-2", Side.SELL, "0.04", stop="480"))
    before = await hand.look(bought.client_id)
    await hand.subject.reborn()
    after = await hand.look(bought.client_id)
    assert (after.orders, after.nameless, after.balances) == (before.orders, before.nameless, before.balances)
    assert await hand.exchange.perform(Cancel(stop, ZEC)) == Accepted(stop.venue_id)


@on_every_venue
async def test_a_wanted_order_is_found_however_many_ended_after_it(hand: Hand) -> None:
    since = hand.subject.now() - timedelta(seconds=1)
    first = await hand.buy("0.04")
    for number in range(LONG_AGO):
        await hand.buy("0.01", f"zyc-{number}")
        await hand.subject.pass_s(1)
    assert (await hand.look(first.client_id)).orders[first.client_id].filled == D("0.04")
    if Lack.FILLS not in hand.subject.lacks:
        assert len(await hand.exchange.fetch_fills(since)) == LONG_AGO + 1


@on_every_venue
async def test_an_order_that_was_never_sent_is_in_neither_list(hand: Hand) -> None:
    for wanted in (["zyc-never"], []):
        snapshot = await hand.look(*wanted)
        assert snapshot.complete
        assert snapshot.orders == {}
        assert snapshot.find(hand.order("zyc-never", Side.BUY, "0.04")) is None


@on_every_venue
async def test_an_account_that_never_traded_shows_its_money_and_nothing_else(hand: Hand) -> None:
    snapshot = await hand.look()
    assert snapshot.open_orders == ()
    assert set(snapshot.balances) == {"USD"}
    assert (snapshot.balances["USD"].held, snapshot.balances["USD"].asset) == (D(0), "USD")
    assert snapshot.balances["USD"].available >= D(10_000)


@on_every_venue
async def test_the_balances_move_by_what_the_fills_say(hand: Hand) -> None:
    hand.needs(Lack.MONEY)
    bought = await hand.shown(await hand.buy("0.04"))
    sold = await hand.shown(await hand.place(hand.order("zyc-2", Side.SELL, "0.03")))
    balances = (await hand.look()).balances
    assert balances["ZEC"].total == D("0.01")
    money = D(10_000) - bought.cost - bought.fee + sold.cost - sold.fee
    assert abs(balances["USD"].total - money) <= D("0.0001"), "Kraken writes dollars to the fourth place"


@on_every_venue
async def test_a_resting_stop_holds_its_coins_where_the_venue_holds(hand: Hand) -> None:
    await hand.buy("0.04")
    stop = await hand.place(hand.order("zyc-2", Side.SELL, "0.03", stop="480"))
    coins = (await hand.look()).balances["ZEC"]
    assert (coins.total, coins.held) == (D("0.04"), D("0.03") if hand.subject.holds else D(0))
    await hand.exchange.perform(Cancel(stop, ZEC))
    free = (await hand.look()).balances["ZEC"]
    assert (free.total, free.held, free.available) == (D("0.04"), D(0), D("0.04"))


@on_every_venue
async def test_a_resting_purchase_holds_its_money(hand: Hand) -> None:
    hand.needs(Lack.MONEY)
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    held = (await hand.look()).balances["USD"].held
    assert D("19.6") <= held <= D("19.6") * D("1.005")
    await hand.exchange.perform(Cancel(order, ZEC))
    assert (await hand.look()).balances["USD"].held == D(0)


async def _bought_in_three(hand: Hand, attached: str | None = None) -> Order:
    """A limit order that three trades fill, each seen before the next."""
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.06", limit="490"), attached=attached)
    filled, cost, fee = D(0), D(0), D(0)
    for number, part in enumerate(("0.01", "0.02", "0.03"), start=1):
        await hand.subject.fill(await hand.shown(order), "489.90", part)
        shown = await hand.shown(order)
        assert shown.filled == filled + D(part)
        assert (shown.cost > cost, shown.fee > fee) == (True, True)
        assert is_close(shown.cost, shown.filled * 490)
        assert D(0) < shown.fee < shown.cost / 100
        assert shown.state is (VenueState.CLOSED if number == 3 else VenueState.OPEN)
        filled, cost, fee = shown.filled, shown.cost, shown.fee
    return order


@on_every_venue
async def test_fills_are_cumulative_and_never_decrease(hand: Hand) -> None:
    order = await _bought_in_three(hand)
    last = await hand.shown(order)
    await hand.subject.move("495")
    assert await hand.shown(order) == last


@on_every_venue
async def test_each_partial_fill_spawns_its_stop_found_by_its_parent(hand: Hand) -> None:
    if not hand.exchange.abilities.attaches_stops:
        pytest.skip("this venue attaches no stops, and says so")
    order = await _bought_in_three(hand, attached="480")
    assert order.venue_id is not None
    snapshot = await hand.look(order.client_id, parents=(order.venue_id,))
    children = snapshot.children(order.venue_id)
    assert [one.quantity for one in children] == [D("0.01"), D("0.02"), D("0.03")]
    for child in children:
        assert (child.state, child.side, child.type) == (VenueState.OPEN, Side.SELL, OrderType.STOP_LOSS)
        assert (child.client_id, child.trigger_price, child.filled) == (None, D(480), D(0))
    assert snapshot.orders[order.client_id].venue_id == order.venue_id, "no child takes the name of its parent"
    assert len(snapshot.open_orders) == 3


@on_every_venue
async def test_a_spawned_stop_that_sold_is_still_found_by_its_parent(hand: Hand) -> None:
    if not hand.exchange.abilities.attaches_stops:
        pytest.skip("this venue attaches no stops, and says so")
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04"), attached="480")
    assert order.venue_id is not None
    await hand.subject.move("479")
    [child] = (await hand.look(order.client_id, parents=(order.venue_id,))).children(order.venue_id)
    assert (child.state, child.filled) == (VenueState.CLOSED, D("0.04"))
    assert is_close(child.cost, D("19.16"))
    assert "ZEC" not in (await hand.look()).balances


@on_every_venue
async def test_the_executions_of_an_order_add_up_to_what_it_shows(hand: Hand) -> None:
    hand.needs(Lack.FILLS)
    since = hand.subject.now() - timedelta(seconds=1)
    order = await _bought_in_three(hand)
    shown = await hand.shown(order)
    await hand.place(hand.order("zyc-2", Side.SELL, "0.06"))
    every = await hand.exchange.fetch_fills(since)
    ours = [fill for fill in every if fill.venue_id == order.venue_id]
    assert (len(every), len(ours), len({fill.id for fill in every})) == (4, 3, 4)
    assert sum(fill.quantity for fill in ours) == shown.filled
    assert abs(sum(fill.cost for fill in ours) - shown.cost) <= 3 * GRAIN
    assert abs(sum(fill.fee for fill in ours) - shown.fee) <= 3 * GRAIN
    assert {(fill.symbol, fill.price) for fill in ours} == {(ZEC, D(490))}
    assert [fill.at for fill in every] == sorted(fill.at for fill in every)


@on_every_venue
async def test_a_sweep_shows_every_order_that_ended_since_then_wanted_or_not(hand: Hand) -> None:
    hand.needs(Lack.SWEEP)
    filled = await hand.buy("0.04")
    canceled = await hand.place(hand.order("zyc-2", Side.BUY, "0.04", limit="490"))
    await hand.exchange.perform(Cancel(canceled, ZEC))
    await hand.subject.pass_s(SETTLED_S)
    swept = await hand.exchange.snapshot([], Reach(sweep=hand.subject.now() - timedelta(minutes=5), balances=False))
    assert swept.complete
    assert set(swept.orders) == {filled.client_id, canceled.client_id}
    assert swept.balances == {}, "they were not asked for"


@on_every_venue
async def test_fees_are_percents(hand: Hand) -> None:
    fees = await hand.exchange.fees(ZEC)
    assert (fees.maker_pct, fees.taker_pct) == (D("0.25"), D("0.40"))


@on_every_venue
async def test_there_is_room_for_orders(hand: Hand) -> None:
    assert hand.exchange.room(ZEC) > 0
    await hand.buy()
    assert hand.exchange.room(ZEC) > 0


@on_every_venue
async def test_the_account_says_that_it_may_be_traded_on(hand: Hand) -> None:
    readiness = await hand.exchange.readiness()
    assert (readiness.problem, readiness.is_final) == ("", False)


@on_every_venue
async def test_who_never_looked_is_told_to_look(hand: Hand) -> None:
    assert hand.exchange.is_look_due(None)
    assert hand.exchange.is_look_due(hand.subject.now() - timedelta(hours=1))


@on_every_venue
async def test_a_venue_lets_itself_be_advanced_at_any_time_and_changes_nothing_by_that(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    before = await hand.shown(order)
    for base in ("ZEC", None, "ETH"):
        await hand.exchange.advance(base)
    assert await hand.shown(order) == before
