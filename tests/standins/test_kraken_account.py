"""The account's stand-in without HTTP: orders, children, both worlds, refusals, counters, lists that lag, the audit."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.orders import OrderType
from core.domain.venue import VenueState
from tests.standins.kraken import audit, trading_market
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_limits import Tier
from tests.standins.kraken_public import ApiError
from tests.standins.kraken_reads import READS
from tests.standins.kraken_records import Record

ZEC = "ZEC/USD"


@dataclass
class Watch:
    """A monotonic clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def an_account(watch: Watch | None = None, coins: str = "0", **settings: Any) -> KrakenAccount:
    account = KrakenAccount(trading_market(), {"ZUSD": Decimal(10_000), "XZEC": Decimal(coins)}, **settings)
    account.monotonic = watch or Watch()
    return account


def buy(account: KrakenAccount, name: str = "zy1", volume: str = "2", price: str | None = None, **more: str) -> Record:
    return add(account, name, type="buy", volume=volume, **({} if price is None else {"price": price}), **more)


def stop(account: KrakenAccount, name: str, volume: str, price: str) -> Record:
    return add(account, name, type="sell", ordertype="stop-loss", volume=volume, price=price)


def add(account: KrakenAccount, name: str, **params: str) -> Record:
    kind = "limit" if "price" in params else "market"
    reply: Any = account.add_order({"pair": "ZECUSD", "ordertype": kind, "cl_ord_id": name, **params})
    return account.records[reply["txid"][0]]


def read(account: KrakenAccount, endpoint: str, **params: str) -> Any:
    return READS[endpoint](account, params)


def refusal(account: KrakenAccount, params: Mapping[str, str]) -> str:
    known = {"pair": "ZECUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "500.00"}
    before = account.balances.copy(), len(account.records)
    with pytest.raises(ApiError) as refused:
        account.add_order({name: value for name, value in {**known, **params}.items() if value})
    assert (account.balances, len(account.records)) == before
    return str(refused.value)


# -- orders ------------------------------------------------------------------------------------------------------


def test_a_market_order_trades_at_the_ask_and_pays_the_taker_fee() -> None:
    account = an_account()
    shown = buy(account).order.shown
    assert (shown.state, shown.cost, shown.fee) == (VenueState.CLOSED, Decimal("1020.40"), Decimal("4.0816"))
    assert account.balances == {"USD": Decimal("8975.5184"), "ZEC": Decimal(2)}


def test_a_market_order_takes_no_more_than_the_book_has_and_the_rest_is_canceled() -> None:
    account = an_account()
    account.pair(ZEC).asks = [("510.20", "0.5"), ("511.00", "0.25")]
    shown = buy(account).order.shown
    assert (shown.state, shown.filled) == (VenueState.CANCELED, Decimal("0.75"))
    assert [trade.price for trade in account.trades] == [Decimal("510.20"), Decimal("511.00")]


def test_an_immediate_or_cancel_order_keeps_what_it_got_and_rests_nowhere() -> None:
    account = an_account()
    account.pair(ZEC).asks = [("510.20", "0.5"), ("511.00", "9")]
    shown = buy(account, price="510.50", timeinforce="IOC").order.shown
    assert (shown.state, shown.filled) == (VenueState.CANCELED, Decimal("0.5"))


def test_a_limit_order_is_filled_when_it_is_traded_through_and_in_the_volume_that_traded() -> None:
    account = an_account()
    record = buy(account, price="500.00")
    account.trade(ZEC, "500.00")
    assert record.order.shown.filled == 0
    account.trade(ZEC, "499.99", "0.4")
    assert (record.order.shown.filled, account.trades[0].maker) == (Decimal("0.4"), True)


def test_every_partial_fill_spawns_a_child_of_its_size_without_a_name() -> None:
    account = an_account()
    parent = buy(account, price="500.00", **{"close[ordertype]": "stop-loss", "close[price]": "480.00"})
    for volume in ("0.4", "0.6", "9"):
        account.trade(ZEC, "499.00", volume)
    children = [child.order.shown for child in account.children(parent.id)]
    assert [child.quantity for child in children] == [Decimal("0.4"), Decimal("0.6"), Decimal(1)]
    assert {(child.client_id, child.trigger_price) for child in children} == {(None, Decimal("480.00"))}


def test_children_are_independent_of_their_parent_and_of_each_other() -> None:
    account = an_account()
    parent = buy(account, price="500.00", **{"close[ordertype]": "stop-loss", "close[price]": "480.00"})
    account.trade(ZEC, "499.00", "0.4")
    account.trade(ZEC, "499.00", "0.6")
    account.by_hand_cancel(parent.id)
    first, second = account.children(parent.id)
    account.by_hand_amend(first.id, trigger="490.00")
    account.trade(ZEC, "489.00")
    assert first.order.shown.state is VenueState.CLOSED
    assert second.order.shown.state is VenueState.OPEN


def test_a_child_whose_price_is_reached_already_sells_at_once() -> None:
    account = an_account()
    parent = buy(account, price="500.00", **{"close[ordertype]": "stop-loss", "close[price]": "480.00"})
    account.trade(ZEC, "479.00")
    (child,) = account.children(parent.id)
    assert child.order.shown.state is VenueState.CLOSED
    assert account.balances["ZEC"] == 0


@pytest.mark.parametrize(("world", "count"), [("place", 1), ("drop", 0)])
def test_a_child_below_the_minimum_is_placed_in_one_world_and_dropped_in_the_other(world: str, count: int) -> None:
    account = an_account(dust_children=world)
    parent = buy(account, price="500.00", **{"close[ordertype]": "stop-loss", "close[price]": "480.00"})
    account.trade(ZEC, "499.00", "0.005")
    assert len(account.children(parent.id)) == count


def test_an_amendment_keeps_id_name_and_fills() -> None:
    account = an_account()
    record = buy(account, price="500.00")
    account.trade(ZEC, "499.00", "0.5")
    reply = account.amend_order({"cl_ord_id": "zy1", "order_qty": "1.5", "limit_price": "498.00"})
    shown = record.order.shown
    assert set(reply) == {"amend_id"}
    assert (shown.quantity, shown.filled, shown.client_id) == (Decimal("1.5"), Decimal("0.5"), "zy1")


@pytest.mark.parametrize(("world", "state"), [("refuse", VenueState.OPEN), ("cancel", VenueState.CANCELED)])
def test_amending_to_what_is_filled_is_refused_in_one_world_and_cancels_in_the_other(
    world: str, state: VenueState
) -> None:
    account = an_account(amend_below_filled=world)
    record = buy(account, price="500.00")
    account.trade(ZEC, "499.00", "0.5")
    with suppress(ApiError):
        account.amend_order({"txid": record.id, "order_qty": "0.5"})
    assert record.order.shown.state is state


def test_a_fee_in_coins_leaves_less_than_was_bought() -> None:
    account = an_account()
    record = buy(account, oflags="fcib")
    assert account.balances == {"USD": Decimal("8979.60"), "ZEC": Decimal("1.992")}
    assert read(account, "QueryOrders", txid=record.id)[record.id]["oflags"] == "fcib"


# -- both worlds -------------------------------------------------------------------------------------------------


def test_where_a_stop_holds_its_coins_a_second_sell_of_them_is_refused() -> None:
    account = an_account(coins="2")
    stop(account, "zys", "2", "480.00")
    wanted = {"type": "sell", "price": "520.00", "volume": "2", "cl_ord_id": "zyt"}
    assert refusal(account, wanted) == "EOrder:Insufficient funds"
    assert read(account, "BalanceEx")["XZEC"]["hold_trade"] == "2.0000000000"


def test_where_it_holds_nothing_both_rest_and_the_stop_ends_without_coins() -> None:
    account = an_account(coins="2", stop_holds=False)
    resting = stop(account, "zys", "2", "480.00")
    add(account, "zyt", type="sell", price="520.00", volume="2")
    account.trade(ZEC, "521.00")
    account.trade(ZEC, "479.00")
    assert (resting.order.shown.state, resting.order.shown.reason) == (VenueState.CANCELED, "Insufficient funds")
    assert account.balances["ZEC"] == 0


def test_a_stop_whose_coins_were_withdrawn_sells_nothing_in_either_world() -> None:
    for stop_holds in (True, False):
        account = an_account(coins="2", stop_holds=stop_holds)
        resting = stop(account, "zys", "2", "480.00")
        account.withdraw("ZEC", "1")
        account.trade(ZEC, "479.00")
        assert (resting.order.shown.state, account.balances["ZEC"]) == (VenueState.CANCELED, Decimal(1))


def test_a_stop_amended_above_the_market_without_coins_is_canceled_and_not_sold_short() -> None:
    account = an_account(coins="2", stop_holds=False)
    resting = stop(account, "zys", "2", "480.00")
    account.by_hand_sell("ZEC", "2")
    account.by_hand_amend(resting.id, trigger="600.00")
    assert resting.order.shown.state is VenueState.CANCELED
    assert account.balances["ZEC"] == 0


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"volume": "100"}, "EOrder:Insufficient funds"),
        ({"volume": "0.001"}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({"volume": "0.01", "price": "49.00"}, "EOrder:Cost minimum not met"),
        ({"price": "500.005"}, "EOrder:Tick size check failed"),
        ({"close[ordertype]": "stop-loss", "close[price]": "480.001"}, "EOrder:Tick size check failed"),
        ({"pair": "NOPEUSD"}, "EQuery:Unknown asset pair"),
        ({"cl_ord_id": "this is not a name"}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"cl_ord_id": "nineteen-characters"}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"cl_ord_id": "zy1", "userref": "7"}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"ordertype": "iceberg"}, "EGeneral:Invalid arguments:ordertype"),
        ({"price": ""}, "EGeneral:Invalid arguments:price"),
        ({"oflags": "post", "price": "510.20"}, "EOrder:Post only order"),
    ],
)
def test_what_kraken_refuses_is_refused_in_its_words(params: Mapping[str, str], words: str) -> None:
    account = an_account()
    account.pair(ZEC).costmin = "0.5" if "price" not in params else "5"
    assert refusal(account, params) == words


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [(-1, "EService:Deadline elapsed"), (1, "EGeneral:Invalid arguments"), (61, "EGeneral:Invalid arguments")],
)
def test_a_deadline_that_is_over_too_near_or_too_far_is_refused_on_the_venues_clock(ahead_s: int, words: str) -> None:
    account = an_account()
    real = account.market.now
    account.market.now = lambda: real() + timedelta(hours=1)
    deadline = (account.now() + timedelta(seconds=ahead_s)).isoformat()
    assert refusal(account, {"deadline": deadline}).startswith(words)


def test_a_name_is_unique_among_open_orders_only() -> None:
    account = an_account()
    first = buy(account, "zy1", "1", "500.00")
    assert refusal(account, {"cl_ord_id": "zy1"}) == "EGeneral:Invalid arguments:cl_ord_id not unique"
    account.cancel_order({"cl_ord_id": "zy1"})
    second = buy(account, "zy1", "1", "500.00")
    assert account.by_name("zy1") == [first, second]


def test_an_order_that_is_gone_can_neither_be_canceled_nor_amended() -> None:
    account = an_account()
    record = buy(account)
    for request in (account.cancel_order, account.amend_order):
        with pytest.raises(ApiError, match="EOrder:Unknown order"):
            request({"txid": record.id})


@pytest.mark.parametrize("mode", ["cancel_only", "post_only"])
def test_a_pair_that_does_not_trade_says_so(mode: str) -> None:
    account = an_account()
    account.pair(ZEC).status = mode
    assert refusal(account, {}) == f"EService:Market in {mode} mode"


def test_a_pair_in_post_only_mode_takes_an_order_that_waits() -> None:
    account = an_account()
    account.pair(ZEC).status = "post_only"
    assert buy(account, price="500.00", oflags="post").order.shown.state is VenueState.OPEN


def test_validate_checks_everything_and_places_nothing() -> None:
    account = an_account()
    reply: Any = account.add_order(
        {"pair": "ZECUSD", "type": "buy", "ordertype": "market", "volume": "1", "validate": "true"}
    )
    assert reply == {"descr": {"order": "buy 1.00000000 ZECUSD @ market"}}
    assert not account.records
    assert account.balances == {"USD": Decimal(10_000), "ZEC": Decimal(0)}
    assert refusal(account, {"volume": "100", "validate": "true"}) == "EOrder:Insufficient funds"


# -- counters ----------------------------------------------------------------------------------------------------


def test_canceling_young_orders_exhausts_the_pairs_counter_and_time_heals_it() -> None:
    watch = Watch()
    account = an_account(watch, tier=Tier.STARTER)
    for number in range(6):
        buy(account, f"zy{number}", "1", "500.00")
        account.cancel_order({"cl_ord_id": f"zy{number}"})
    for number in range(6):
        buy(account, f"zz{number}", "1", "500.00")
    assert account.trading_peak == 60
    assert refusal(account, {"cl_ord_id": "zy9"}) == "EOrder:Rate limit exceeded"
    watch.now += 1
    buy(account, "zy9", "1", "500.00")


def test_an_old_order_is_canceled_for_nothing() -> None:
    watch = Watch()
    account = an_account(watch)
    buy(account, price="500.00")
    watch.now += 300
    account.cancel_order({"cl_ord_id": "zy1"})
    assert account.trading_peak == 1


# -- lists -------------------------------------------------------------------------------------------------------


def test_orders_children_and_fills_are_shown_late_when_they_are_told_to() -> None:
    watch = Watch()
    account = an_account(watch, order_lag_s=1, fill_lag_s=3, child_lag_s=5)
    parent = buy(account, **{"close[ordertype]": "stop-loss", "close[price]": "480.00"})
    seen = []
    for _ in range(6):
        rows = read(account, "OpenOrders")["open"]
        closed = read(account, "ClosedOrders")["closed"]
        seen.append((parent.id in rows, parent.id in closed, len(rows) - (parent.id in rows)))
        watch.now += 1
    assert seen == [
        (False, False, 0),
        (True, False, 0),
        (True, False, 0),
        (False, True, 0),
        (False, True, 0),
        (False, True, 1),
    ]


def test_closed_orders_come_newest_ending_first_and_fifty_a_page() -> None:
    account = an_account(tier=Tier.PRO)
    account.limits = False
    for number in range(60):
        buy(account, f"zy{number}", "0.01")
    first = read(account, "ClosedOrders")
    rest = read(account, "ClosedOrders", ofs="50")
    assert (first["count"], len(first["closed"]), len(rest["closed"])) == (60, 50, 10)
    assert next(iter(first["closed"].values()))["cl_ord_id"] == "zy59"
    assert len(read(account, "TradesHistory", ofs="50")["trades"]) == 10


def test_closed_orders_are_found_by_name_and_by_time() -> None:
    account = an_account()
    buy(account, "zy1", "1")
    buy(account, "zy2", "1")
    assert read(account, "ClosedOrders", cl_ord_id="zy1")["count"] == 1
    ahead = str(account.now().timestamp() + 60)
    assert read(account, "ClosedOrders", start=ahead)["count"] == 0
    assert read(account, "ClosedOrders", end=ahead)["count"] == 2


def test_an_order_of_the_owners_has_no_name_and_is_listed_like_any_other() -> None:
    account = an_account()
    record = account.by_hand_place(ZEC, "buy", "limit", "1", "500.00")
    row = read(account, "OpenOrders")["open"][record.id]
    assert "cl_ord_id" not in row
    assert row["descr"]["ordertype"] == OrderType.LIMIT


# -- the audit ---------------------------------------------------------------------------------------------------


def test_the_audit_is_silent_about_an_honest_day() -> None:
    account = an_account()
    buy(account, **{"close[ordertype]": "stop-loss", "close[price]": "480.00"})
    account.trade(ZEC, "479.00")
    account.by_hand_place(ZEC, "buy", "market", "1")
    account.by_hand_sell("ZEC", "1")
    assert audit(account) == []


def test_the_audit_catches_a_name_that_was_accepted_twice() -> None:
    account = an_account()
    buy(account, "zy1")
    buy(account, "zy1")
    (finding,) = audit(account)
    assert finding.startswith("The order zy1 was accepted 2 times")


def test_the_audit_catches_coins_sold_that_the_bot_had_not_bought() -> None:
    account = an_account(coins="10")
    buy(account, "zy1", "1")
    add(account, "zy2", type="sell", volume="1.5")
    (finding,) = audit(account)
    assert finding.startswith("ZEC/USD: 1.5 sold of 1 bought")
