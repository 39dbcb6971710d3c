"""Orders under a bracket's name that its ledger lacks: a restored copy takes them up, in their right role."""

import re
from dataclasses import replace

import pytest

from bot.wiring import _bracket_ids
from core.domain.brackets import Bracket, BracketState
from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.domain.venue import Snapshot, VenueOrder, VenueState
from core.lifecycle.absorb import absorb, next_number, number_of
from tests.core.lifecycle.build import NOW, D, World, bracket
from tests.rig import Rig, open_rig

BRACKET = "zy00000001"


def shown(
    number: str, kind: str = "stop-loss", side: str = "sell", *, state: VenueState = VenueState.OPEN, filled: str = "0"
) -> VenueOrder:
    """An order at the venue under the bracket's name."""
    kind_of, price = OrderType(kind), None if kind == "market" else D(99)
    return VenueOrder(
        f"V{number}", f"{BRACKET}-{number}", "ZEC/USD", Side(side), kind_of, D(1), state, NOW,
        price if kind_of is OrderType.LIMIT else None, price if kind_of is OrderType.STOP_LOSS else None,
        D(filled), D(filled) * 99, D(0), NOW if D(filled) else None,
    )  # fmt: skip


def restored() -> World:
    """A ledger from the moment after the entry: it knows of that one order, and holds a coin."""
    world = World(bracket())
    world.step()
    world.bracket = replace(world.bracket, orders=world.bracket.orders[:1], state=BracketState.OPEN)
    world.orders = {name: order for name, order in world.orders.items() if order.side is Side.BUY}
    return world


def seen(world: World, *orders: VenueOrder) -> Bracket:
    """The bracket after a snapshot that shows these too."""
    named = {order.client_id or order.venue_id: order for order in orders}
    shot = Snapshot(NOW, NOW, complete=True, orders={**world.orders, **named})
    return absorb(world.bracket, shot).bracket


def the(found: Bracket, number: str) -> Order:
    return found.order(f"{BRACKET}-{number}")


@pytest.mark.parametrize(
    ("order", "role", "state"),
    [
        (shown("2"), Role.STOP, OrderState.OPEN),
        (shown("2", state=VenueState.CANCELED), Role.STOP, OrderState.CANCELED),
        (shown("2", state=VenueState.CLOSED, filled="1"), Role.STOP, OrderState.FILLED),
        (shown("3", "limit"), Role.TARGET, OrderState.OPEN),
        (shown("3", "limit", state=VenueState.CLOSED, filled="1"), Role.EXIT, OrderState.FILLED),
        (shown("4", "market", state=VenueState.CLOSED, filled="1"), Role.EXIT, OrderState.FILLED),
    ],
)
def test_a_sale_that_the_ledger_lacks_is_taken_up_in_its_role(order: VenueOrder, role: Role, state: OrderState) -> None:
    found = seen(restored(), order)
    taken = the(found, (order.client_id or "").rpartition("-")[2])
    assert (taken.role, taken.state, taken.venue_id) == (role, state, order.venue_id)
    assert (taken.quantity, taken.filled) == (D(1), order.filled)
    assert found.held == D(1) - order.filled


def test_a_fill_of_an_order_that_was_taken_up_is_booked_once() -> None:
    world = restored()
    sold = shown("4", "market", state=VenueState.CLOSED, filled="1")
    first = absorb(world.bracket, Snapshot(NOW, NOW, complete=True, orders={**world.orders, "zy00000001-4": sold}))
    assert [fill.quantity for _, fill in first.fills] == [D(1)]
    again = absorb(first.bracket, Snapshot(NOW, NOW, complete=True, orders={**world.orders, "zy00000001-4": sold}))
    assert again.fills == ()
    assert again.bracket is first.bracket


def test_numbers_go_on_above_all_that_were_taken_up() -> None:
    found = seen(restored(), shown("2"), shown("17", state=VenueState.CANCELED))
    assert next_number(found) == 18
    world = restored()
    world.bracket = found
    world.orders |= {"zy00000001-17": shown("17", state=VenueState.CANCELED)}
    world.step()
    assert {number_of(order.client_id) for order in world.bracket.orders} >= {1, 2, 17, 18}


@pytest.mark.parametrize(
    "name",
    ["zy00000002-2", "zy00000001-x", "zy00000001", "zy00000001-", "2-zy00000001", "zy000000011-2", "zy00000001-1-2"],
)
def test_what_is_not_named_after_this_bracket_is_not_its_own(name: str) -> None:
    world = restored()
    stranger = replace(shown("2"), client_id=name)
    assert len(seen(world, stranger).orders) == len(world.bracket.orders)


def test_a_purchase_under_its_name_is_not_taken_up_as_a_sale() -> None:
    world = restored()
    found = seen(world, shown("9", "limit", "buy"))
    assert all(order.side is Side.BUY for order in found.orders if order.role is Role.ENTRY)
    assert [order.client_id for order in found.orders] == [order.client_id for order in world.bracket.orders]


def test_a_stop_that_was_taken_up_protects_so_that_no_second_one_is_sent() -> None:
    world = restored()
    world.orders["zy00000001-2"] = shown("2")
    world.step()
    stops = world.bracket.of_role(Role.STOP)
    assert [(stop.client_id, stop.quantity) for stop in stops] == [("zy00000001-2", D(1))]


def test_a_child_that_is_new_and_a_name_that_is_new_never_get_the_same_number() -> None:
    world = restored()
    entry = world.bracket.orders[0]
    child = VenueOrder(
        "C1", None, "ZEC/USD", Side.SELL, OrderType.STOP_LOSS, D(1), VenueState.OPEN, NOW, trigger_price=D(99),
        parent_id=entry.venue_id,
    )  # fmt: skip
    orders = {**world.orders, "zy00000001-5": shown("5", state=VenueState.CANCELED)}
    found = absorb(world.bracket, Snapshot(NOW, NOW, complete=True, orders=orders, nameless={"C1": child})).bracket
    assert [order.client_id for order in found.orders] == ["zy00000001-1", "zy00000001-5", "zy00000001-6"]
    assert found.order("zy00000001-6").venue_id == "C1"


# -- names fit ---------------------------------------------------------------------------------------------------


def test_the_names_of_orders_fit_the_eighteen_characters_that_kraken_takes() -> None:
    make = _bracket_ids("ab1z")
    names = {make() for _ in range(500)}
    assert len(names) == 500
    for name in names:
        assert re.fullmatch(r"zyab1z[a-z0-9]{6}", name)
        assert len(f"{name}-9999") <= 18
        assert number_of(f"{name}-9999") == 9999


# -- a whole house -----------------------------------------------------------------------------------------------


def _forget_all_but_the_entry(rig: Rig, bracket: Bracket) -> None:
    """The ledger as a copy from the moment after the entry had it."""
    entry = bracket.orders[0].client_id
    with rig.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM fill WHERE order_id <> ?", (entry,))
        connection.exec_driver_sql("DELETE FROM orders WHERE client_id <> ?", (entry,))


async def test_a_ledger_that_was_restored_from_a_copy_sees_its_stop_again_and_sends_no_other() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        [before] = rig.desk.ledger.unfinished()
        [resting] = await rig.exchange.fetch_open_orders()
        _forget_all_but_the_entry(rig, before)
        rig.time.pass_s(30)
        rig.hand.price("ZEC/USD", "512.00")
        again = await rig.reopen()
        [after] = again.desk.ledger.unfinished()
        assert [stop.client_id for stop in after.of_role(Role.STOP)] == [resting.client_id]
        assert [one.client_id for one in await again.exchange.fetch_open_orders()] == [resting.client_id]
        assert after.held == D(1)
        again.hand.trade("ZEC/USD", "500.00")
        await again.tick()
        assert again.desk.ledger.unfinished() == ()


async def test_a_sale_that_was_forgotten_with_the_copy_is_booked_and_not_sold_again() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        [before] = rig.desk.ledger.unfinished()
        rig.hand.trade("ZEC/USD", "500.00")
        await rig.exchange.advance()
        _forget_all_but_the_entry(rig, before)
        again = await rig.reopen()
        assert again.desk.ledger.unfinished() == ()
        ended = again.desk.ledger.newest("ZEC/USD")
        assert ended is not None
        assert (ended.sold, ended.state) == (D(1), BracketState.CLOSED)
        assert await again.exchange.fetch_open_orders() == []
