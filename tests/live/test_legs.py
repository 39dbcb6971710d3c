"""LIVE on the stand-in: every new trade has both a target and a stop, and the one that is hit ends the other."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain.brackets import BracketState, ExitReason
from core.domain.orders import OrderState, OrderType, Role, Side
from tests.live_kit import LiveHouse, live_house
from tests.standins.kraken import KrakenStandIn, audit

D = Decimal
WORLDS = [
    pytest.param((holds, target, entry), id=f"{'holds' if holds else 'free'}-{target}-{entry}")
    for holds in (True, False)
    for target in ("emulated", "resting")
    for entry in ("attached", "after")
]


@pytest.fixture(params=WORLDS)
async def live(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LiveHouse]:
    holds, target, entry = request.param
    async with (
        KrakenStandIn(balances={"USD": D(10000)}, stop_holds=holds) as kraken,
        live_house(tmp_path, kraken, target_mode=target, entry_stop=entry) as house,
    ):
        kraken.account.limits = False
        yield house
        assert audit(kraken.account) == []
        assert kraken.private.forbidden == []


def _roles(live: LiveHouse) -> list[tuple[OrderType, Decimal | None, Decimal]]:
    return sorted((one.type, one.trigger_price or one.limit_price, one.quantity) for one in live.resting())


async def _buy(live: LiveHouse) -> None:
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert reply.ok, reply.text
    await live.tick()


async def test_a_new_trade_has_both_its_stop_and_its_target(live: LiveHouse) -> None:
    await _buy(live)
    stop = (OrderType.STOP_LOSS, D("505.10"), D("0.04"))
    bracket = live.bracket()
    rests_both = live.desk.target_mode == "resting" and not live.kraken.account.stop_holds
    assert _roles(live) == ([(OrderType.LIMIT, D("520.40"), D("0.04")), stop] if rests_both else [stop])
    [target] = [one for one in bracket.of_role(Role.TARGET) if not one.is_terminal]
    assert target.state is (OrderState.OPEN if rests_both else OrderState.HELD)
    shown = (await live.tell("open")).text
    assert "stop ZEC/USD sell 0.04 at 505.1 · resting" in shown
    assert f"target ZEC/USD sell 0.04 at 520.4 · {'resting' if rests_both else 'held by Zyn'}" in shown


async def test_a_target_that_is_hit_takes_the_stop_away(live: LiveHouse) -> None:
    await _buy(live)
    await live.trade("521.00")
    bracket = live.bracket()
    assert (bracket.state, bracket.close_reason) == (BracketState.CLOSED, ExitReason.TARGET)
    assert live.resting() == []
    assert live.kraken.account.balances["ZEC"] == 0
    assert "No positions.\nNo open orders." in (await live.tell("open")).text
    assert "target" in (await live.tell("trades")).text
    assert "Target sold 0.04 ZEC" in live.alerts()


async def test_a_stop_that_is_hit_takes_the_target_away(live: LiveHouse) -> None:
    await _buy(live)
    await live.trade("504.00")
    bracket = live.bracket()
    starved = live.desk.target_mode == "resting" and not live.kraken.account.stop_holds
    # Where the stop holds nothing, a resting target holds its coins: it is reached, canceled, and Zyn sells instead.
    reason = ExitReason.STOP_EMULATED if starved else ExitReason.STOP
    assert (bracket.state, bracket.close_reason) == (BracketState.CLOSED, reason)
    assert live.resting() == []
    assert all(one.is_terminal for one in bracket.orders)
    assert live.kraken.account.balances["ZEC"] == 0
    assert ("was canceled at the venue (Insufficient funds)" if starved else "Stop sold 0.04 ZEC") in live.alerts()
    if starved:
        assert "found its coins held by another order" in (await live.tell("status")).text


async def test_the_force_test_trades_and_ends_with_nothing_open(live: LiveHouse) -> None:
    reply = await live.tell("force_trade_test ZEC")
    await live.tick(2)
    assert reply.ok, reply.text
    assert reply.mode == "LIVE"
    assert live.resting() == []
    assert live.kraken.account.balances["ZEC"] == 0


async def test_selling_a_part_leaves_the_rest_protected(live: LiveHouse) -> None:
    await _buy(live)
    reply = await live.tell("sell 0.015 ZEC")
    assert reply.ok, reply.text
    await live.tick()
    assert "Sold 0.015 of 0.04 ZEC" in reply.text
    stops = [one for one in live.resting() if one.type is OrderType.STOP_LOSS]
    assert sum(one.quantity - one.filled for one in stops) == D("0.025")
    assert live.bracket().held == D("0.025")
    assert live.kraken.account.balances["ZEC"] == D("0.025")


async def test_closing_sells_everything_and_leaves_no_order(live: LiveHouse) -> None:
    await _buy(live)
    reply = await live.tell("close ZEC")
    assert reply.ok, reply.text
    await live.tick()
    assert live.resting() == []
    assert live.kraken.account.balances["ZEC"] == 0
    assert live.bracket().close_reason is ExitReason.COMMAND


async def test_coins_and_orders_of_others_are_named_and_stay(live: LiveHouse) -> None:
    live.kraken.account.deposit("ETH", "2")
    foreign = live.kraken.account.by_hand_place("SOL/USD", Side.BUY, OrderType.LIMIT, "1", "50.00")
    await _buy(live)
    reply = await live.tell("flatten")
    assert "Not Zyn's and not touched: 2 ETH." in reply.text
    assert foreign.order.shown.venue_id in reply.text
    assert live.kraken.account.balances["ETH"] == D(2)
    assert [one.venue_id for one in live.resting()] == [foreign.order.shown.venue_id]
    denied = await live.tell("sell 1 ETH")
    assert not denied.ok
    assert live.kraken.account.balances["ETH"] == D(2)
