"""LIVE on the stand-in, on days when something goes wrong: each has a repair, an alert and a row that explains it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from core.domain.brackets import BracketState, ExitReason
from core.domain.orders import OrderState, OrderType, Role
from core.lifecycle import cover
from tests.live_kit import LiveHouse, live_house
from tests.standins import kraken_faults as faults
from tests.standins.kraken import KrakenStandIn, audit

D = Decimal


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveHouse]:
    async with (
        KrakenStandIn(balances={"USD": D(10000)}) as kraken,
        live_house(tmp_path, kraken, unprotected_limit_s="5") as house,
    ):
        kraken.account.limits = False
        yield house
        assert kraken.private.forbidden == []


async def _bought(live: LiveHouse) -> None:
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert reply.ok, reply.text


def _stops(live: LiveHouse) -> list[tuple[Decimal | None, Decimal]]:
    return [(one.trigger_price, one.quantity) for one in live.resting() if one.type is OrderType.STOP_LOSS]


async def _until_closed(live: LiveHouse, ticks: int = 14) -> None:
    """Look again and again, a second of the wall's time apart, until the bracket is over."""
    for _ in range(ticks):
        await live.tick()
        if live.bracket().state is BracketState.CLOSED:
            return
        await asyncio.sleep(1)


async def test_a_stop_that_cannot_be_placed_ends_the_position_and_the_owner_hears_why(tmp_path: Path) -> None:
    async with (
        KrakenStandIn(balances={"USD": D(10000)}) as kraken,
        live_house(tmp_path, kraken, unprotected_limit_s="5", entry_stop="after") as live,
    ):
        kraken.account.limits = False

        def no_stops(endpoint: str, params: dict[str, str]) -> faults.PrivateFault | None:
            refused = endpoint == "AddOrder" and params.get("ordertype") == "stop-loss"
            return faults.error("EOrder:Orders limit exceeded") if refused else None

        kraken.private.fault = no_stops
        reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
        assert "UNPROTECTED" in reply.text
        denied = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
        assert denied.code == "NOT_ACTIVE"
        await _until_closed(live)
        assert live.bracket().close_reason is ExitReason.UNPROTECTED
        assert kraken.account.balances["ZEC"] == 0
        told = live.alerts()
        assert "refused the stop for 0.04 ZEC: EOrder:Orders limit exceeded" in told
        assert "had no stop for" in told
        assert "left because no stop could be placed" in told
        assert live.bracket().unprotected_s > 5


async def test_a_stop_canceled_by_hand_is_placed_again_and_told(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.account.by_hand_cancel(live.resting()[0].venue_id)
    await live.tick()
    assert _stops(live) == [(D("505.10"), D("0.04"))]
    assert "canceled at the venue" in live.alerts()


async def test_a_stop_amended_by_hand_is_put_back_where_the_bracket_wants_it(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.account.by_hand_amend(live.resting()[0].venue_id, trigger="450.00")
    await live.tick()
    assert _stops(live) == [(D("505.10"), D("0.04"))]


async def test_a_list_that_lags_behind_an_amend_is_not_answered_by_another_one(live: LiveHouse) -> None:
    live.kraken.account.amend_lag_s = 3
    await _bought(live)
    await live.tick(3)
    amends = live.kraken.private.asked("AmendOrder")
    await live.tell("protect ZEC sl 2%")
    await live.tick(3)
    assert len(live.kraken.private.asked("AmendOrder")) <= len(amends) + 1 <= 2
    assert "stands at" not in live.alerts()
    await asyncio.sleep(3.2)
    await live.tick(2)
    assert _stops(live) == [(live.bracket().stop_price, D("0.04"))]
    assert len(live.kraken.private.asked("AmendOrder")) <= 2


async def test_a_pair_that_only_takes_cancels_keeps_its_stop_and_refuses_entries_in_krakens_words(
    live: LiveHouse,
) -> None:
    await _bought(live)
    live.kraken.account.pair("ZEC/USD").status = "cancel_only"
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert "cancel_only" in reply.text
    assert _stops(live) == [(D("505.10"), D("0.04"))]


async def test_each_partial_fill_of_an_entry_is_protected_and_the_stops_together_are_what_is_held(
    live: LiveHouse,
) -> None:
    reply = await live.tell("buy 0.1 ZEC/USD limit 505. SL 1%. TP 2%.")
    assert reply.ok, reply.text
    for volume in ("0.03", "0.05", "0.02"):
        live.kraken.account.trade("ZEC/USD", "504.00", volume=volume)
        await live.prices_pass()
        await live.tick(2)
        held = live.bracket().held
        assert sum(quantity for _, quantity in _stops(live)) == held
    assert live.bracket().held == D("0.1")
    assert {price for price, _ in _stops(live)} == {live.bracket().stop_price}


async def test_a_stop_that_was_reached_and_is_not_filled_yet_is_not_doubled(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.account.trade("ZEC/USD", "504.00", volume="0.015")
    await live.prices_pass()
    await live.tick(3)
    bracket = live.bracket()
    assert bracket.held == D("0.025")
    assert sum(one.quantity - one.filled for one in live.resting()) == D("0.025")
    live.kraken.account.trade("ZEC/USD", "503.50")
    await live.tick(2)
    assert live.bracket().close_reason is ExitReason.STOP
    assert audit(live.kraken.account) == []


async def test_a_target_that_cannot_be_sold_gives_the_stop_back_in_the_same_look(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.account.pair("ZEC/USD").bids = [("400.00", "1")]
    live.kraken.account.set_quote("ZEC/USD", "521.00", "521.10", "521.00")
    await live.prices_pass()
    await live.tick()
    bracket = live.bracket()
    assert bracket.held == D("0.04")
    assert _stops(live) == [(D("505.10"), D("0.04"))]
    assert bracket.target_failures == 1
    assert bracket.target_retry_at is not None
    assert 0 < bracket.unprotected_s < 3
    told = f"Longest that one trade was without a stop, all in all: {bracket.unprotected_s:.1f} s"
    assert told in (await live.tell("status")).text


async def test_an_answer_that_was_lost_doubles_nothing(live: LiveHouse) -> None:
    live.kraken.fail(faults.DROP_AFTER, times=1, endpoint="AddOrder")
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    await live.tick()
    assert len(live.kraken.private.asked("AddOrder")) == 1
    assert live.bracket().held == D("0.04")
    assert _stops(live) == [(D("505.10"), D("0.04"))]
    assert reply.code != "REJECTED"
    assert "Nothing was bought" not in reply.text


async def test_a_stop_that_sold_before_anybody_saw_the_entry_is_not_replaced(tmp_path: Path) -> None:
    """The owner has coins of his own: a second stop would sell those."""
    async with (
        KrakenStandIn(balances={"USD": D(10000), "ZEC": D(5)}) as kraken,
        live_house(tmp_path, kraken, child_grace_s="1") as live,
    ):
        kraken.account.limits = False

        def deaf_from_the_order_on(endpoint: str, params: dict[str, str]) -> faults.PrivateFault | None:
            if endpoint == "AddOrder":
                return faults.DROP_AFTER
            is_asked = bool(kraken.private.asked("AddOrder"))
            return faults.HTML_502_BEFORE if endpoint == "OpenOrders" and is_asked else None

        kraken.private.fault = deaf_from_the_order_on
        await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
        kraken.account.trade("ZEC/USD", "490.00")
        await asyncio.sleep(1.5)
        kraken.recover()
        # A reading that breaks off after the closed orders: what it saw of the entry is remembered, and not its stop.
        kraken.fail(faults.HTML_502_BEFORE, endpoint="BalanceEx")
        await live.tell("balance")
        kraken.recover()
        await live.prices_pass()
        await live.tick(3)
        bracket = live.bracket()
        assert (bracket.state, bracket.close_reason) == (BracketState.CLOSED, ExitReason.STOP)
        assert kraken.account.balances["ZEC"] == D(5)
        assert len(kraken.private.asked("AddOrder")) == 1


async def test_a_request_that_was_lost_is_reported_and_never_repeated(live: LiveHouse) -> None:
    live.kraken.fail(faults.DROP_BEFORE, times=1, endpoint="AddOrder")
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert "UNKNOWN" in reply.text
    entry = live.bracket().entry
    assert entry is not None
    assert entry.state is OrderState.SUBMITTING
    await live.tick(2)
    assert len(live.kraken.private.asked("AddOrder")) == 1
    assert live.kraken.account.balances.get("ZEC", D(0)) == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_flatten_gets_out_while_half_of_the_calls_fail_and_may_be_repeated(live: LiveHouse, seed: int) -> None:
    print(f"seed {seed}")
    for symbol in ("ZEC/USD", "ETH/USD", "SOL/USD"):
        assert (await live.tell(f"buy $100 of {symbol} SL 1% TP 2%")).ok
    random = Random(seed)
    ways = (faults.DROP_AFTER, faults.DROP_BEFORE, faults.HTML_502_BEFORE, faults.error("EService:Unavailable"))
    live.kraken.private.fault = lambda _endpoint, _params: random.choice(ways) if random.random() < 0.5 else None
    for _ in range(3):
        await live.tell("flatten")
    live.kraken.recover()
    await _until_flat(live)
    assert live.resting() == []
    assert {asset: total for asset, total in live.kraken.account.balances.items() if total and asset != "USD"} == {}
    assert audit(live.kraken.account) == []


async def _until_flat(live: LiveHouse) -> None:
    for _ in range(25):
        await live.tick()
        if not live.desk.ledger.unfinished():
            return
        await live.tell("flatten")
        await asyncio.sleep(1)


async def test_both_legs_that_traded_are_told_and_halt_the_desk(tmp_path: Path) -> None:
    async with (
        KrakenStandIn(balances={"USD": D(10000), "ZEC": D(1)}, stop_holds=False) as kraken,
        live_house(tmp_path, kraken, target_mode="resting") as live,
    ):
        kraken.account.limits = False
        await _bought(live)
        await live.tick()
        kraken.account.trade("ZEC/USD", "521.00")
        kraken.account.trade("ZEC/USD", "500.00")
        await live.prices_pass()
        await live.tick(2)
        assert live.bracket().sold == D("0.08")
        assert "sold 0.04 ZEC more than was bought" in live.alerts()
        assert "halted" in live.alerts()
        denied = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
        assert denied.code == "NOT_ACTIVE"
        assert len(live.desk.ledger.incidents.open()) == 1


async def test_a_target_beside_a_stop_that_holds_is_kept_by_zyn_and_learned_for_auto(tmp_path: Path) -> None:
    async with (
        KrakenStandIn(balances={"USD": D(10000)}, stop_holds=True) as kraken,
        live_house(tmp_path, kraken, target_mode="resting") as live,
    ):
        kraken.account.limits = False
        await _bought(live)
        await live.tick()
        [target] = [one for one in live.bracket().of_role(Role.TARGET) if not one.is_terminal]
        assert target.state is OrderState.HELD
        assert "refused the target" in live.alerts()
        assert live.desk.learned is not None
        assert live.desk.learned.holds
        assert live.desk.learned.is_proof


async def test_a_target_in_a_closed_market_leaves_the_stop_where_it_is_and_sells_when_it_opens(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "CLOSED_PAUSE", timedelta())
    await _bought(live)
    live.kraken.account.pair("ZEC/USD").status = "cancel_only"
    live.desk.market._statuses.clear()  # type: ignore[attr-defined]  # ten seconds have passed
    live.kraken.account.set_quote("ZEC/USD", "521.00", "521.10", "521.00")
    await live.prices_pass()
    await live.tick(2)
    assert _stops(live) == [(D("505.10"), D("0.04"))]
    assert live.kraken.private.asked("CancelOrder") == []
    assert live.alerts().count("in cancel_only mode: the sale waits, and stop 505.1 rests on 0.04 of 0.04") == 1
    reply = await live.tell("close ZEC")
    assert "could not be sold yet" in reply.text
    assert _stops(live) == [(D("505.10"), D("0.04"))]
    live.kraken.account.pair("ZEC/USD").status = "online"
    live.desk.market._statuses.clear()  # type: ignore[attr-defined]  # ten seconds have passed
    await live.tick(3)
    assert live.bracket().state is BracketState.CLOSED
    assert live.kraken.account.balances["ZEC"] == 0


@pytest.mark.parametrize("dust", ["place", "drop"])
async def test_fills_below_the_minimum_are_covered_as_soon_as_they_add_up(tmp_path: Path, dust: str) -> None:
    async with (
        KrakenStandIn(balances={"USD": D(10000)}, dust_children=dust) as kraken,
        live_house(tmp_path, kraken, child_grace_s="1") as live,
    ):
        kraken.account.limits = False
        assert (await live.tell("buy 0.1 ZEC/USD limit 505. SL 1%. TP 2%.")).ok
        for volume in ("0.004", "0.005", "0.03", "0.006"):
            kraken.account.trade("ZEC/USD", "504.00", volume=volume)
            await live.prices_pass()
            await live.tick(2)
            await asyncio.sleep(1.1)
            await live.tick(3)
        held = live.bracket().held
        assert held == D("0.045")
        assert sum(quantity for _, quantity in _stops(live)) >= held - D("0.01")
        assert sum(quantity for _, quantity in _stops(live)) <= held
        assert live.desk.state == "active", live.desk.health
        kraken.account.trade("ZEC/USD", "499.00", volume="0.0001")
        kraken.account.trade("ZEC/USD", "499.00")
        await live.tick(4)
        assert kraken.account.balances["ZEC"] < D("0.1")
        assert audit(kraken.account) == []


async def test_a_trailing_stop_follows_the_price_at_kraken_and_sells_when_it_turns(live: LiveHouse) -> None:
    await _bought(live)
    reply = await live.tell("protect ZEC trailing stop 1%")
    assert reply.ok, reply.text
    await live.tell("protect ZEC tp 30%")
    for price in ("530.00", "560.00", "555.00"):
        live.kraken.account.set_quote("ZEC/USD", price, price, price)
        await live.prices_pass()
        await live.tick(2)
    assert _stops(live) == [(D("554.40"), D("0.04"))]
    live.kraken.account.trade("ZEC/USD", "554.00")
    await live.tick(2)
    bracket = live.bracket()
    assert (bracket.state, bracket.close_reason) == (BracketState.CLOSED, ExitReason.STOP)
    assert bracket.result_quote is not None
    assert bracket.result_quote > 0


async def test_a_restored_copy_takes_up_the_orders_that_it_has_never_heard_of(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    async with KrakenStandIn(balances={"USD": D(10000)}) as kraken:
        kraken.account.limits = False
        async with live_house(tmp_path, kraken) as live:
            await _bought(live)
            shutil.copy(tmp_path / "zyn.db", copy / "zyn.db")
            for end in ("-wal", "-shm"):
                if (tmp_path / f"zyn.db{end}").exists():
                    shutil.copy(tmp_path / f"zyn.db{end}", copy / f"zyn.db{end}")
            assert (await live.tell("sell 0.015 ZEC")).ok
            live.kraken.account.by_hand_cancel(live.resting()[0].venue_id)
            await live.tick(2)
            names = {one.client_id for one in live.resting()}
        async with live_house(copy, kraken) as restored:
            bracket = restored.bracket()
            assert bracket.held == D("0.025")
            assert [one.role for one in bracket.orders if one.filled > 0] == [Role.ENTRY, Role.EXIT]
            assert names <= {one.client_id for one in bracket.orders}
            assert sum(quantity for _, quantity in _stops(restored)) == D("0.025")
            assert (await restored.tell("close ZEC")).ok
            await restored.tick()
            assert kraken.account.balances["ZEC"] == 0
            assert audit(kraken.account) == []
