"""The Kraken account as an exchange, over real HTTP: how far its books are read, and what each answer proves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.orders import Side
from core.domain.venue import Fees, Reach, VenueState
from core.exchange import kraken_books, translate
from core.exchange.errors import VenueUnreadableError
from core.exchange.kraken_books import DEFAULT_FEES
from core.exchange.matching import Friction
from core.exchange.port import Readiness
from tests.core.exchange.account_rig import ZEC, Bench, D, bench
from tests.standins import kraken_faults as faults


@pytest.fixture
async def on() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


# -- how far the books are read ----------------------------------------------------------------------------------


async def test_the_closed_orders_are_read_only_while_something_that_is_wanted_is_not_open(on: Bench) -> None:
    await on.exchange.perform(on.submit("zyabcd123456-1", "limit", price="400"))
    await on.exchange.snapshot({"zyabcd123456-1"})
    assert (on.asked("OpenOrders"), on.asked("ClosedOrders"), on.asked("BalanceEx")) == (1, 0, 1)
    await on.buy("zyabcd123456-2")
    shown = await on.exchange.snapshot({"zyabcd123456-1", "zyabcd123456-2"})
    assert (on.asked("OpenOrders"), on.asked("ClosedOrders"), on.asked("BalanceEx")) == (2, 1, 2)
    assert shown.orders["zyabcd123456-2"].state is VenueState.CLOSED
    assert shown.complete


async def test_balances_are_read_only_when_they_are_asked_for(on: Bench) -> None:
    shown = await on.exchange.snapshot((), Reach(balances=False))
    assert (on.asked("BalanceEx"), shown.balances) == (0, {})


async def test_an_order_behind_two_pages_of_others_is_found_and_the_reading_stops_there(on: Bench) -> None:
    await on.buy("zyabcd123456-1")
    on.by_hand(120)
    await on.buy("zyabcd123456-2")
    newest = await on.exchange.snapshot({"zyabcd123456-2"}, Reach(balances=False))
    assert [form["ofs"] for form in on.kraken.private.asked("ClosedOrders")] == ["0"]
    oldest = await on.exchange.snapshot({"zyabcd123456-1"}, Reach(balances=False))
    assert [form["ofs"] for form in on.kraken.private.asked("ClosedOrders")] == ["0", "0", "50", "100"]
    assert newest.complete
    assert oldest.orders["zyabcd123456-1"].filled == D(1)


async def test_the_lists_begin_a_minute_before_the_oldest_order_that_is_wanted(on: Bench) -> None:
    await on.buy()
    since = on.time.now
    on.time.pass_s(3600)
    await on.exchange.snapshot({"zyabcd123456-1"}, Reach(since))
    [form] = on.kraken.private.asked("ClosedOrders")
    assert int(form["start"]) == int(since.timestamp()) - 60


async def test_what_no_page_shows_is_asked_for_by_its_name_so_that_a_busy_account_hides_nothing(
    on: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_books, "PAGES_MAX", 2)
    await on.buy("zyabcd123456-1")
    on.by_hand(120)
    shown = await on.exchange.snapshot({"zyabcd123456-1", "zyabcd123456-9"}, Reach(balances=False))
    assert shown.complete
    assert set(shown.orders) & {"zyabcd123456-1", "zyabcd123456-9"} == {"zyabcd123456-1"}, "the other never was"
    assert on.asked("ClosedOrders") == 2 + 2
    swept = await on.exchange.snapshot((), Reach(sweep=on.time.now - timedelta(hours=1)))
    assert swept.complete, "of a long time away, only what is wanted must be found"


async def test_a_list_whose_pages_run_out_says_nothing_of_children(on: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kraken_books, "PAGES_MAX", 2)
    on.by_hand(120)
    assert not (await on.exchange.snapshot((), Reach(parents=frozenset({"O1"}), balances=False))).complete


async def test_a_child_that_ended_behind_more_orders_than_are_read_is_found_where_it_began(
    on: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_books, "PAGES_MAX", 2)
    on.by_hand(120)
    on.time.pass_s(3600)
    made_at = on.time.now
    parent = await on.buy(attached_stop="490")
    spans = {parent: (made_at, on.time.now)}
    on.time.pass_s(3600)
    on.kraken.account.trade(ZEC, "489.00")
    on.by_hand(120)
    reach = Reach(made_at - timedelta(days=1), parents=frozenset({parent}), balances=False, urgent=True)
    assert not (await on.exchange.snapshot((), reach)).complete
    shown = await on.exchange.snapshot((), replace(reach, spans=spans))
    assert shown.complete
    assert [(child.state, child.filled) for child in shown.children(parent)] == [(VenueState.CLOSED, D(1))]


async def test_a_page_is_full_though_one_of_its_rows_cannot_be_read(on: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await on.buy("zyabcd123456-1")
    on.by_hand(60)
    orders = translate.orders
    monkeypatch.setattr(translate, "count", lambda _: None)
    monkeypatch.setattr(translate, "orders", lambda *given: orders(*given)[1:])
    shown = await on.exchange.snapshot({"zyabcd123456-1"}, Reach(balances=False))
    assert shown.orders["zyabcd123456-1"].filled == D(1)


async def test_an_old_order_that_still_rests_does_not_stretch_the_search_for_a_young_one(on: Bench) -> None:
    old, young = on.time.now - timedelta(days=30), on.time.now - timedelta(seconds=20)
    await on.exchange.perform(on.submit(kind="limit", limit_price=D(400)))
    ages = {"zyabcd123456-1": old, "zyabcd123456-2": young}
    await on.exchange.snapshot(ages.keys(), Reach(old, ages=ages))
    [form] = on.kraken.private.asked("ClosedOrders")
    assert int(form["start"]) == int(young.timestamp()) - 60


async def test_executions_that_come_in_too_many_pages_are_not_told_in_part(
    on: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_books, "PAGES_MAX", 2)
    on.by_hand(120)
    with pytest.raises(VenueUnreadableError, match="more than 100 executions"):
        await on.exchange.fetch_fills(on.time.now - timedelta(hours=1))


async def test_a_sweep_brings_every_order_that_ended_since_wanted_or_not(on: Bench) -> None:
    began = on.time.now
    await on.buy("zyabcd123456-1")
    await on.buy("zyabcd123456-2")
    shown = await on.exchange.snapshot((), Reach(sweep=began))
    assert set(shown.orders) == {"zyabcd123456-1", "zyabcd123456-2"}


async def test_an_order_that_is_over_is_asked_about_ever_more_rarely_and_then_no_more(on: Bench) -> None:
    on.wire.budget.counter.maximum = 1000
    await on.buy()
    began, asked = on.time.now, []
    for second in range(121):
        on.time.now = began + timedelta(seconds=second)
        before = on.asked("ClosedOrders")
        shown = await on.exchange.snapshot({"zyabcd123456-1"}, Reach(balances=False))
        assert shown.orders["zyabcd123456-1"].filled == D(1)
        asked += [second] if on.asked("ClosedOrders") > before else []
    assert asked == [0, 2, 6, 14, 30, 62]


async def test_an_order_that_trades_after_all_begins_anew(on: Bench) -> None:
    on.kraken.account.fill_lag_s = 5
    await on.exchange.perform(on.submit("zyabcd123456-1", "limit", price="400", quantity="1"))
    on.time.pass_s(6)
    on.kraken.account.trade(ZEC, "399.00", "0.4")
    on.kraken.account.by_hand_cancel(next(iter(on.kraken.account.records)))
    for _ in range(3):
        on.time.pass_s(3)
        shown = await on.exchange.snapshot({"zyabcd123456-1"}, Reach(balances=False))
    assert (shown.orders["zyabcd123456-1"].state, shown.orders["zyabcd123456-1"].filled) == (
        VenueState.CANCELED, D("0.4"),
    )  # fmt: skip


# -- a reading that is shown again -------------------------------------------------------------------------------


async def test_a_reading_is_shown_again_for_two_seconds_with_its_own_times(on: Bench) -> None:
    on.exchange.stream_is_alive = lambda: True
    first = await on.exchange.snapshot(())
    on.time.pass_s(1.9)
    assert await on.exchange.snapshot(()) is first
    on.time.pass_s(0.1)
    again = await on.exchange.snapshot(())
    assert again.began_at > first.at
    assert on.asked("OpenOrders") == 2


@pytest.mark.parametrize("what", ["perform", "news", "urgent", "parents", "sweep", "another name", "balances"])
async def test_a_reading_is_not_shown_again_where_it_may_be_wrong_or_says_too_little(on: Bench, what: str) -> None:
    on.exchange.stream_is_alive = lambda: True
    await on.exchange.snapshot(("zyabcd123456-1",), Reach(balances=what != "balances"))
    if what == "perform":
        await on.buy()
    if what == "news":
        on.exchange.note_news()
    reach = {
        "urgent": Reach(urgent=True), "parents": Reach(parents=frozenset({"O1"})), "sweep": Reach(sweep=on.time.now),
    }  # fmt: skip
    names = {"zyabcd123456-7"} if what == "another name" else set()
    await on.exchange.snapshot(names, reach.get(what, Reach()))
    assert on.asked("OpenOrders") == 2


async def test_news_that_came_while_the_books_were_read_make_the_reading_old_at_once(on: Bench) -> None:
    on.kraken.private.on_request = lambda _: on.exchange.note_news()
    await on.exchange.snapshot(())
    on.kraken.private.on_request = None
    await on.exchange.snapshot(())
    assert on.asked("OpenOrders") == 2


async def test_with_its_calls_used_up_a_reading_is_shown_for_a_minute_while_the_stream_lives(on: Bench) -> None:
    first = await on.exchange.snapshot(())
    on.wire.budget.counter.fill()
    on.time.pass_s(3)
    on.wire.budget.counter.fill()
    on.exchange.stream_is_alive = lambda: True
    assert await on.exchange.snapshot(()) is first
    on.exchange.stream_is_alive = lambda: False
    assert await on.exchange.snapshot(()) is not first


# -- children and fees -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [False, True])
async def test_a_stop_that_a_fill_has_spawned_is_found_by_its_parent_open_and_over(on: Bench, *, named: bool) -> None:
    on.kraken.account.spelling.named_children = named
    parent = await on.buy(attached_stop="490")
    reach = Reach(parents=frozenset({parent}), urgent=True)
    shown = await on.exchange.snapshot({"zyabcd123456-1"}, reach)
    [child] = shown.children(parent)
    assert (child.trigger_price, child.quantity, child.state) == (D(490), D(1), VenueState.OPEN)
    assert shown.orders["zyabcd123456-1"].side is Side.BUY
    on.kraken.account.trade(ZEC, "489.00")
    [sold] = (await on.exchange.snapshot((), reach)).children(parent)
    assert (sold.state, sold.filled, sold.client_id) == (VenueState.CLOSED, D(1), None)


async def test_a_fee_that_kraken_takes_in_coins_leaves_as_many_as_the_account_has(on: Bench) -> None:
    on.kraken.account.fees_in_base = True
    await on.buy(quantity="3")
    shown = await on.exchange.snapshot({"zyabcd123456-1"})
    bought = shown.orders["zyabcd123456-1"]
    assert bought.base_fee > 0
    assert abs(bought.filled - bought.base_fee - shown.balances["ZEC"].total) < D("1e-9")


async def test_fees_are_read_once_an_hour_and_the_last_ones_stand_in(on: Bench) -> None:
    on.kraken.account.books.friction = Friction(D("0.16"), D("0.26"))
    assert await on.exchange.fees(ZEC) == Fees(D("0.1600"), D("0.2600"))
    on.time.pass_s(3599)
    await on.exchange.fees(ZEC)
    assert on.asked("TradeVolume") == 1
    on.time.pass_s(1)
    on.kraken.fail(faults.UNAVAILABLE_BEFORE, endpoint="TradeVolume")
    assert await on.exchange.fees(ZEC) == Fees(D("0.1600"), D("0.2600"))
    assert await on.exchange.fees("ETH/USD") == DEFAULT_FEES
    assert await on.exchange.fees("NO/USD") == DEFAULT_FEES


async def test_executions_come_oldest_first_over_all_their_pages(on: Bench) -> None:
    began = on.time.now
    on.by_hand(60)
    found = await on.exchange.fetch_fills(began, on.time.now)
    assert (len(found), on.asked("TradesHistory")) == (60, 2)
    assert [fill.at for fill in found] == sorted(fill.at for fill in found)
    assert {(fill.symbol, fill.quantity) for fill in found} == {(ZEC, D("0.01"))}


async def test_the_orders_that_rest_are_listed_by_symbol(on: Bench) -> None:
    on.kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "400.00")
    on.kraken.account.by_hand_place("ETH/USD", "buy", "limit", "1", "2000.00")
    assert [one.symbol for one in await on.exchange.fetch_open_orders("ETH/USD")] == ["ETH/USD"]
    assert len(await on.exchange.fetch_open_orders()) == 2


async def test_books_that_cannot_be_read_raise_and_the_pulse_tells_since_when_until_they_can(on: Bench) -> None:
    on.kraken.fail(faults.error("EAPI:Invalid key"))
    with pytest.raises(VenueUnreadableError, match="EAPI:Invalid key"):
        await on.exchange.snapshot(())
    since = on.time()
    on.time.pass_s(5)
    with pytest.raises(VenueUnreadableError):
        await on.exchange.fetch_open_orders()
    failing: list[object] = [on.exchange.pulse.failing_since, bool(on.exchange.pulse.failure)]
    on.kraken.recover()
    await on.exchange.snapshot(())
    healed: list[object] = [on.exchange.pulse.failing_since, on.exchange.pulse.failure]
    assert (failing, healed) == ([since, True], [None, ""])


async def test_the_public_word_of_kraken_heals_no_account_that_is_refused(on: Bench) -> None:
    on.kraken.fail(faults.error("EAPI:Invalid key"))
    with pytest.raises(VenueUnreadableError):
        await on.exchange.snapshot(())
    since = on.time()
    on.time.pass_s(5)
    await on.exchange.measure()
    pulse = on.exchange.pulse
    assert (pulse.failing_since, pulse.silent_since) == (since, None)
    assert "EAPI:Invalid key" in pulse.failure


async def test_what_is_told_of_a_failure_is_how_it_began(on: Bench) -> None:
    for fault in (faults.error("EService:Unavailable"), faults.HTML_502_BEFORE):
        on.kraken.fail(fault)
        with pytest.raises(VenueUnreadableError):
            await on.exchange.snapshot(())
    assert "EService:Unavailable" in on.exchange.pulse.failure


async def test_each_refused_nonce_is_counted_once(on: Bench) -> None:
    on.kraken.fail(faults.error("EAPI:Invalid nonce"), endpoint="AddOrder")
    await on.exchange.perform(on.submit())
    assert len(on.exchange.pulse.nonces_refused_at) == 1


# -- whether it may be traded on ---------------------------------------------------------------------------------


async def test_an_account_whose_key_may_what_it_must_is_ready_and_both_clocks_were_compared(on: Bench) -> None:
    assert await on.exchange.readiness() == Readiness()
    assert on.exchange.pulse.skew == timedelta(seconds=0.5), "Kraken tells whole seconds"
    assert on.exchange.pulse.status == "online"


async def test_a_key_that_may_withdraw_is_refused_for_good_unless_the_owner_insists(on: Bench) -> None:
    on.kraken.account.permissions.append("withdraw-funds")
    found = await on.exchange.readiness()
    assert "may withdraw" in found.problem
    assert found.is_final
    async with bench(may_withdraw=True) as insisting:
        insisting.kraken.account.permissions.append("withdraw-funds")
        assert await insisting.exchange.readiness() == Readiness()


@pytest.mark.parametrize(
    ("right", "name"),
    [
        ("query-funds", "Query funds"),
        ("query-open-trades", "Query open orders & trades"),
        ("query-closed-trades", "Query closed orders & trades"),
        ("modify-trades", "Create & modify orders"),
        ("close-trades", "Cancel/close orders"),
    ],
)
async def test_a_right_that_the_key_lacks_is_named_and_no_waiting_mends_it(on: Bench, right: str, name: str) -> None:
    on.kraken.account.permissions.remove(right)
    found = await on.exchange.readiness()
    assert (found.problem, found.is_final) == (f"the Kraken key lacks the right to: {name}", True)


async def test_a_wrong_key_is_final_and_a_venue_that_does_not_answer_is_not(on: Bench) -> None:
    on.kraken.fail(faults.error("EAPI:Invalid key"), endpoint="GetApiKeyInfo")
    assert (await on.exchange.readiness()).is_final
    on.kraken.fail(faults.UNAVAILABLE_BEFORE, endpoint="GetApiKeyInfo")
    found = await on.exchange.readiness()
    assert (bool(found.problem), found.is_final) == (True, False)
    on.kraken.recover()
    assert await on.exchange.readiness() == Readiness()


@pytest.mark.parametrize(("off_s", "told"), [(45, "is -4"), (-45, "is +4"), (29, ""), (-29, "")])
async def test_a_clock_that_is_far_off_krakens_is_told_by_how_much(on: Bench, off_s: float, told: str) -> None:
    on.kraken.market.now = lambda: on.time() + timedelta(seconds=off_s)
    found = await on.exchange.readiness()
    assert told.replace("is ", "clock is ") in found.problem
    assert (bool(found.problem), found.is_final) == (bool(told), False)


async def test_deadlines_and_times_are_on_each_ones_own_clock(on: Bench) -> None:
    on.kraken.market.now = lambda: on.time() + timedelta(seconds=20)
    await on.exchange.readiness()
    await on.buy()
    shown = await on.exchange.snapshot({"zyabcd123456-1"})
    opened_at = shown.orders["zyabcd123456-1"].opened_at
    assert abs(opened_at - on.time()) <= timedelta(seconds=1)


@pytest.mark.parametrize("status", ["maintenance", "cancel_only", "post_only", "limit_only"])
async def test_an_account_of_a_venue_that_is_not_online_is_not_ready_yet(on: Bench, status: str) -> None:
    on.kraken.market.system_status = status
    assert await on.exchange.readiness() == Readiness(f"Kraken is in {status} mode")
