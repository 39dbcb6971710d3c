"""Our own count of Kraken's limits: what waits, what does not, and what an entry must leave."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.domain.orders import Role, TimeInForce
from core.domain.venue import Accepted, Amend, Refused
from core.exchange import budget
from core.exchange.budget import LIMITS, PATIENCE_S, Counter, RestBudget, Tier, TradingBudget, amend_cost, cancel_cost
from tests.core.exchange.account_rig import ZEC, Bench, bench
from tests.standins import kraken_faults as faults

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Seconds:
    """Steady time that moves when somebody sleeps; `slept` is each wait."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def on() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


def test_a_counter_falls_steadily_to_zero_and_no_further() -> None:
    time = Seconds()
    counter = Counter(60, 2.0, time)
    counter.add(9)
    time.now = 2
    assert (counter.level, counter.room) == (5, 55)
    time.now = 100
    assert counter.level == 0
    assert counter.wait_s(60) == 0
    counter.add(10)
    assert counter.wait_s(60) == 5


def test_a_counter_that_the_venue_calls_full_is_full_and_never_falls_for_it() -> None:
    counter = Counter(10, 1.0, Seconds())
    counter.fill()
    assert counter.room == 0
    counter.add(5)
    counter.fill()
    assert counter.level == 15


@pytest.mark.parametrize(
    ("tier", "rest", "trading"),
    [
        (Tier.STARTER, (15, 0.33), (60, 1.0)),
        (Tier.INTERMEDIATE, (20, 0.5), (125, 2.34)),
        (Tier.PRO, (20, 1), (180, 3.75)),
    ],
)
def test_the_limits_of_each_tier_are_krakens(
    tier: Tier, rest: tuple[float, float], trading: tuple[float, float]
) -> None:
    limits = LIMITS[tier]
    assert (limits.rest_max, limits.rest_decay) == rest
    assert (limits.trading_max, limits.trading_decay) == trading


async def test_ordinary_reads_leave_a_reserve_that_urgent_ones_use_without_waiting() -> None:
    time = Seconds()
    reads = RestBudget(Tier.STARTER, monotonic=time, sleep=time.sleep)
    for _ in range(11):
        await reads.take(1)
    assert time.slept == []
    for _ in range(3):
        await reads.take(1, urgent=True)
    assert time.slept == []
    await reads.take(1, urgent=True)
    assert sum(time.slept) == pytest.approx(1 / 0.33, abs=0.02)
    time.slept.clear()
    await reads.take(1)
    assert sum(time.slept) == pytest.approx(PATIENCE_S, abs=0.05), "and who has waited so long waits no longer"


async def test_an_urgent_read_does_not_wait_behind_an_ordinary_one_that_does() -> None:
    time, let = Seconds(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        await let.wait()
        await time.sleep(seconds)

    reads = RestBudget(Tier.STARTER, monotonic=time, sleep=sleep)
    for _ in range(11):
        await reads.take(1)
    waiting = asyncio.create_task(reads.take(1))
    await asyncio.sleep(0)
    await asyncio.wait_for(reads.take(1, urgent=True), 1)
    assert not waiting.done()
    let.set()
    await waiting


async def test_however_many_read_at_once_the_counter_stays_below_krakens_maximum() -> None:
    time = Seconds()
    reads = RestBudget(Tier.STARTER, monotonic=time, sleep=time.sleep)
    peak = 0.0

    async def read(number: int) -> None:
        nonlocal peak
        await reads.take(2 if number % 5 == 0 else 1, urgent=number % 4 == 0)
        peak = max(peak, reads.counter.level)

    await asyncio.gather(*(read(number) for number in range(60)))
    assert peak < LIMITS[Tier.STARTER].rest_max


def test_each_pair_has_a_counter_of_its_own() -> None:
    trading = TradingBudget(Tier.STARTER, monotonic=Seconds())
    trading.of("ZEC/USD").add(30)
    assert (trading.of("ZEC/USD").room, trading.of("ETH/USD").room) == (30, 60)


@pytest.mark.parametrize(
    ("age_s", "cancel"), [(0, 8), (4.9, 8), (5, 6), (12, 5), (20, 4), (60, 2), (120, 1), (300, 0), (9999, 0)]
)
def test_taking_an_order_back_costs_the_more_the_younger_it_is(age_s: float, cancel: float) -> None:
    assert cancel_cost(NOW - timedelta(seconds=age_s), NOW) == cancel


@pytest.mark.parametrize(("age_s", "amend"), [(0, 3), (5, 2), (10, 1)])
def test_changing_an_order_costs_the_more_the_younger_it_is(age_s: float, amend: float) -> None:
    assert amend_cost(NOW - timedelta(seconds=age_s), NOW) >= amend


def test_an_order_from_the_future_costs_the_most() -> None:
    later = NOW + timedelta(seconds=30)
    assert (cancel_cost(later, NOW), amend_cost(later, NOW) >= 3) == (8, True)


def test_an_entry_leaves_room_for_two_whole_tries_of_a_target() -> None:
    assert budget.ENTRY_RESERVE == 2 * budget.TARGET_TRY_COST
    dearest = cancel_cost(NOW, NOW) + 2 * budget.ADD_COST + 3
    assert dearest <= budget.TARGET_TRY_COST


# -- room for what protects --------------------------------------------------------------------------------------


async def test_an_entry_is_not_sent_where_it_would_leave_no_room_for_stops_and_a_stop_is(on: Bench) -> None:
    while on.exchange.room(ZEC) >= budget.ENTRY_RESERVE:
        await on.buy()
    sent = on.asked("AddOrder")
    outcome = await on.exchange.perform(on.submit("zyabcd123456-2"))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("not sent: so many orders of ZEC/USD")
    assert "(33 of 60)" in outcome.reason
    assert on.asked("AddOrder") == sent
    stop = on.submit("zyabcd123456-3", "stop-loss", price="490", side="sell", role=Role.STOP)
    assert isinstance(await on.exchange.perform(stop), Accepted)
    assert on.exchange.room("ETH/USD") == 60, "each pair has a counter of its own"
    on.time.pass_s(60)
    assert isinstance(await on.exchange.perform(on.submit("zyabcd123456-4")), Accepted)


async def test_a_pair_that_kraken_calls_full_is_full_whatever_was_counted(on: Bench) -> None:
    on.kraken.fail(faults.error("EOrder:Rate limit exceeded"), times=1, endpoint="AddOrder")
    await on.exchange.perform(on.submit())
    assert on.exchange.room(ZEC) == 0


async def test_a_target_refused_for_want_of_coins_beside_a_stop_teaches_that_stops_hold(on: Bench) -> None:
    await on.buy()
    await on.exchange.perform(on.submit("zyabcd123456-2", "stop-loss", price="490", side="sell", role=Role.STOP))
    target = on.submit("zyabcd123456-3", "limit", price="510", side="sell", role=Role.TARGET)
    assert await on.exchange.perform(target) == Refused("EOrder:Insufficient funds")
    assert [one.holds for one in on.learned] == [True]
    emulated = on.submit(
        "zyabcd123456-4", "limit", price="500", side="sell", role=Role.TARGET, time_in_force=TimeInForce.IOC
    )
    await on.exchange.perform(emulated)
    assert len(on.learned) == 1, "a sale at once says nothing of what rests"


async def test_what_we_count_of_a_pair_is_never_less_than_kraken_counts(on: Bench) -> None:
    resting = on.submit("zyabcd123456-1", "limit", price="400")
    await on.exchange.perform(resting)
    on.time.pass_s(20)
    for step in range(1, 9):
        price = Decimal(400 + step)
        assert isinstance(await on.exchange.perform(Amend(resting.order, ZEC, Decimal(1), price, None)), Accepted)
        on.time.pass_s(1)
    theirs = on.kraken.account.counters["XZECZUSD"].level(on.time.now.timestamp())
    assert 60 - on.exchange.room(ZEC) >= theirs


async def test_a_stream_that_lives_lets_the_polling_rest_for_fifteen_seconds(on: Bench) -> None:
    looked_at = on.time.now
    assert on.exchange.is_look_due(None)
    assert on.exchange.is_look_due(looked_at)
    on.exchange.stream_is_alive = lambda: True
    assert not on.exchange.is_look_due(looked_at)
    on.time.pass_s(15)
    assert on.exchange.is_look_due(looked_at)
    assert on.exchange.is_look_due(on.time.now + timedelta(hours=1)), "a clock that was set back"
    on.exchange.stream_is_alive = lambda: False
    on.wire.budget.counter.add(8)
    assert not on.exchange.is_look_due(on.time.now)
