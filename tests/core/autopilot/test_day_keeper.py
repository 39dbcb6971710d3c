"""The kill switch: it ends a bad day for entries, outlives the process, and is lifted by the owner or the next day."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from core.autopilot.day import DayKeeper
from core.domain.errors import Code
from core.domain.modes import Mode, TradingState
from core.risk.gates import Gate
from core.strategy.config import Limits
from core.strategy.evaluation import Came
from tests.core.autopilot.flight import ONE, Flight, flight
from tests.rig import Rig, Wiring, open_rig

D = Decimal


def keeper(rig: Rig) -> DayKeeper:
    return rig.service.pilot.keepers[Mode.PAPER]


def state(rig: Rig) -> TradingState:
    return rig.desk.state


async def _lose(rig: Rig, percent: str) -> None:
    """Hold coins worth everything, and let their price fall."""
    await rig.service.pilot.watch_day(rig.desk)
    await rig.tell("buy 19 ZEC sl 90% tp 90%")
    fallen = D(512) * (1 - D(percent) / 100)
    rig.hand.price("ZEC/USD", fallen.quantize(D("0.01")))
    await rig.service.pilot.watch_day(rig.desk)


async def test_an_open_loss_past_the_limit_ends_entries_and_is_told_once() -> None:
    async with open_rig() as rig:
        await _lose(rig, "6")
        assert state(rig) is TradingState.HALTED
        reply = await rig.tell("buy 0.1 SOL sl 2% tp 3%")
        assert reply.code is Code.NOT_ACTIVE
        assert "the day has lost" in reply.text
        await rig.service.pilot.watch_day(rig.desk)
        told = [one.text for one in rig.store.waiting_alerts(100) if "KILL SWITCH" in one.text]
        assert len(told) == 1
        assert "until tomorrow (UTC) or 'paper risk resume'" in told[0]


async def test_a_small_loss_ends_nothing() -> None:
    async with open_rig() as rig:
        await _lose(rig, "3")
        assert state(rig) is TradingState.ACTIVE
        assert "Kill switch: off" in (await rig.tell("risk")).text


async def test_it_outlives_a_restart_and_ends_with_the_day() -> None:
    async with open_rig() as rig:
        await _lose(rig, "6")
        again = await rig.reopen()
        assert state(again) is TradingState.HALTED
        again.time.now += timedelta(days=1)
        again.hand.price("ZEC/USD", "481.28")
        assert state(again) is TradingState.ACTIVE
        await again.service.pilot.watch_day(again.desk)
        assert state(again) is TradingState.ACTIVE, "yesterday's open loss is where today begins"
        assert any("A new day has begun" in one.text for one in again.store.waiting_alerts(100))


async def test_the_owner_lifts_it_and_the_same_again_has_to_be_lost() -> None:
    async with open_rig() as rig:
        await _lose(rig, "6")
        assert "the kill switch is off" in (await rig.tell("risk resume")).text
        assert state(rig) is TradingState.ACTIVE
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.ACTIVE
        rig.hand.price("ZEC/USD", "440.00")
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.HALTED


async def test_by_setting_it_sells_everything() -> None:
    config = ONE.model_copy(update={"limits": Limits(kill_flattens=True)})
    async with open_rig(Wiring(strategy=config)) as rig:
        await _lose(rig, "6")
        await rig.tick()
        assert rig.desk.positions() == []
        closed = rig.desk.ledger.newest()
        assert closed is not None
        assert closed.close_reason == "kill_switch"


async def test_what_had_no_fresh_price_when_the_switch_fell_is_sold_as_soon_as_it_has_one() -> None:
    config = ONE.model_copy(update={"limits": Limits(kill_flattens=True)})
    async with open_rig(Wiring(strategy=config)) as rig:
        await rig.service.pilot.watch_day(rig.desk)
        await rig.tell("buy 19 ZEC sl 90% tp 90%")
        rig.hand.price("ZEC/USD", "480.00")
        rig.time.pass_s(120)
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.HALTED
        assert len(rig.desk.positions()) == 1
        rig.hand.price("ZEC/USD", "480.00")
        await rig.service.pilot.watch_day(rig.desk)
        await rig.tick()
        assert rig.desk.positions() == []


async def test_two_looks_at_once_tell_it_once() -> None:
    async with open_rig() as rig:
        await rig.service.pilot.watch_day(rig.desk)
        await rig.tell("buy 19 ZEC sl 90% tp 90%")
        rig.hand.price("ZEC/USD", "470.00")
        await asyncio.gather(*(keeper(rig).look() for _ in range(3)))
        assert sum("KILL SWITCH" in one.text for one in rig.store.waiting_alerts(100)) == 1


async def test_a_clock_that_is_put_back_over_midnight_lifts_nothing() -> None:
    async with open_rig() as rig:
        await _lose(rig, "6")
        rig.time.now -= timedelta(days=1)
        await rig.service.pilot.watch_day(rig.desk)
        rig.time.now += timedelta(days=1)
        assert state(rig) is TradingState.HALTED


async def test_what_ended_before_the_days_first_look_is_not_todays_loss() -> None:
    async with open_rig() as rig:
        await rig.service.pilot.watch_day(rig.desk)
        await rig.tell("buy 19 ZEC sl 90% tp 90%")
        rig.time.now += timedelta(days=1)
        rig.hand.price("ZEC/USD", "400.00")
        await rig.tell("close ZEC")
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.ACTIVE


async def test_a_resume_that_could_not_count_what_was_lost_is_refused() -> None:
    async with open_rig() as rig:
        await _lose(rig, "6")
        rig.hand.last.pop("ZEC/USD")
        reply = await rig.tell("risk resume")
        assert (reply.code, state(rig)) == (Code.NO_PRICES, TradingState.HALTED)
        rig.hand.price("ZEC/USD", "481.28")
        again = await rig.reopen()
        assert (await again.tell("risk resume")).ok
        await again.service.pilot.watch_day(again.desk)
        assert state(again) is TradingState.ACTIVE


async def test_a_deposit_is_no_profit() -> None:
    async with open_rig() as rig:
        await _lose(rig, "3")
        before = keeper(rig).result
        rig.paper.books.balances["USD"] = D(1_000_000)
        await rig.service.pilot.watch_day(rig.desk)
        assert keeper(rig).result == before


async def test_a_price_that_is_missing_kills_nobody() -> None:
    async with open_rig() as rig:
        await _lose(rig, "3")
        rig.hand.last.pop("ZEC/USD")
        await rig.service.pilot.watch_day(rig.desk)
        assert keeper(rig).result is None
        assert state(rig) is TradingState.ACTIVE
        assert "unknown, a price is missing" in (await rig.tell("risk")).text


async def test_realised_losses_count_as_open_ones_do() -> None:
    async with open_rig() as rig:
        await _lose(rig, "4.5")
        assert state(rig) is TradingState.ACTIVE
        await rig.tell("close ZEC")
        await rig.tell("buy 10 ZEC sl 90% tp 90%")
        rig.hand.price("ZEC/USD", "470.00")
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.HALTED


async def test_the_autopilot_is_stopped_by_its_gate_with_the_numbers() -> None:
    async with flight() as fly:
        pilot = fly.pilot
        await pilot.watch_day(fly.rig.desk)
        await fly.rig.tell("buy 3 SOL sl 90% tp 90%")
        day = keeper(fly.rig)._day
        assert day is not None
        keeper(fly.rig)._keep(type(day)(day.date, day.equity, {}, D(0), "the day has lost 600.00"))
        await fly.candle(3)
        row = Flight(fly.rig).rows()[0]
        assert (row.came, row.gate, row.text) == (Came.STOPPED, Gate.KILL_SWITCH, "the day has lost 600.00")


async def test_the_autopilot_buys_nothing_on_a_day_that_nobody_can_count() -> None:
    """A coin without a price keeps the day from beginning; without its beginning no loss could end it."""
    async with flight(ONE) as fly:
        await fly.rig.tell("buy 1 SOL sl 50% tp 50%")
        fly.rig.time.now += timedelta(days=1)
        fly.rig.hand.last.pop("SOL/USD")
        await fly.candle(3)
        row = fly.rows()[0]
        assert (row.came, row.gate) == (Came.STOPPED, Gate.KILL_SWITCH)
        assert "the day cannot be counted" in row.text
        assert keeper(fly.rig).day is None


async def test_a_clock_that_is_put_back_over_midnight_does_not_lift_the_kill_switch() -> None:
    async with open_rig() as rig:
        rig.time.now = rig.time.now.replace(hour=0, minute=0, second=5)
        await _lose(rig, "6")
        rig.time.now -= timedelta(seconds=10)
        assert state(rig) is TradingState.HALTED
        assert (await rig.tell("buy 0.1 SOL sl 2% tp 3%")).code is Code.NOT_ACTIVE


async def test_what_was_bought_today_is_counted_from_its_entry_however_late_the_day_is_looked_at() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 19 ZEC sl 90% tp 90%")
        rig.hand.price("ZEC/USD", "480.00")
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.HALTED, "a loss made before the first look of the day is the day's"


async def test_the_switch_and_its_alert_are_written_together_or_not_at_all() -> None:
    async with open_rig() as rig:
        put = rig.store.put

        def breaks(key: str, value: str, *events: object) -> None:
            if events:
                raise OSError("the disk is full")
            put(key, value)

        rig.store.put = breaks  # type: ignore[method-assign]
        with pytest.raises(OSError, match="full"):
            await _lose(rig, "6")
        assert state(rig) is TradingState.ACTIVE, "what could not be written has not happened"
        rig.store.put = put  # type: ignore[method-assign]
        await rig.service.pilot.watch_day(rig.desk)
        assert state(rig) is TradingState.HALTED
        assert len([one for one in rig.store.waiting_alerts(100) if "KILL SWITCH" in one.text]) == 1
