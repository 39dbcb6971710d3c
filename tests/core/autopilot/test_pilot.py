"""The pilot: each closed candle once, whatever happens, and a row for each that tells why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.brackets import BracketState, ExitReason
from core.domain.modes import Mode, Source
from core.risk.gates import Gate
from core.strategy.config import Limits, TradingConfig, Universe, in_currency
from core.strategy.evaluation import Came
from core.strategy.words import Decision, Reason, Regime
from tests.core.autopilot.flight import DOWN, ONE, ZEC, Flight, flight
from tests.rig import Wiring

D = Decimal


async def test_a_rising_market_is_bought_once_with_both_legs_and_the_row_tells_why() -> None:
    async with flight() as fly:
        assert await fly.candle(3) == 1
        [row] = fly.rows()
        assert (row.regime, row.decision, row.reason) == (Regime.TREND_UP, Decision.LONG, Reason.TREND_LONG)
        assert row.came is Came.OPENED
        bracket = fly.bracket()
        assert (bracket.id, bracket.source, bracket.state) == (row.bracket_id, Source.AUTOPILOT, BracketState.OPEN)
        assert bracket.stop_price is not None
        assert bracket.target_price is not None
        average, atr = bracket.entry_average, D(repr((row.figures or {})["atr"]))
        assert average is not None
        assert abs(bracket.stop_price - (average - 2 * atr)) <= D("0.01")
        assert abs(bracket.target_price - (average + 3 * atr)) <= D("0.01")


async def test_looking_again_at_the_same_candle_does_nothing() -> None:
    async with flight() as fly:
        await fly.candle(3)
        for _ in range(3):
            fly.rig.time.pass_s(6)
            assert await fly.pilot.look() == 0
        assert len(fly.rows()) == 1
        assert len(fly.rig.desk.ledger.unfinished()) == 1


async def test_after_a_restart_the_same_candle_is_not_decided_on_again() -> None:
    async with flight() as fly:
        await fly.candle(3)
        again = Flight(await fly.rig.reopen())
        assert await again.pilot.look() == 0
        assert len(again.rows()) == 1
        assert len(again.rig.desk.ledger.unfinished()) == 1


async def test_a_second_long_is_stopped_by_the_position_that_is_open() -> None:
    async with flight() as fly:
        await fly.candle(3)
        await fly.candle("-1.2")
        await fly.candle(3)
        row = fly.rows()[0]
        assert (row.decision, row.came, row.gate) == (Decision.LONG, Came.STOPPED, Gate.ONE_POSITION)
        assert row.holding == fly.bracket().id


async def test_a_market_that_turns_is_left_and_the_owner_hears_of_it() -> None:
    async with flight() as fly:
        await fly.candle(3)
        bracket = fly.bracket()
        await fly.rig.tell("protect ZEC sl 50%")
        for step in DOWN * 30:
            await fly.candle(step)
            if fly.rows()[0].came is Came.LEFT:
                break
        row = fly.rows()[0]
        assert (row.came, row.bracket_id) == (Came.LEFT, bracket.id)
        assert row.decision in {Decision.EXIT, Decision.SHORT}
        after = fly.bracket()
        assert (after.state, after.close_reason) == (BracketState.CLOSED, ExitReason.STRATEGY)
        told = [alert.text for alert in fly.rig.store.waiting_alerts(100)]
        assert any("left by the autopilot, the market has turned" in text for text in told)
        assert any(text.startswith("Bought ") for text in told), "nobody got a reply that would have told of it"


async def test_a_short_without_a_position_is_recorded_and_not_traded() -> None:
    async with flight() as fly:
        fly.rig.hand.history.clear()
        fly.history(401, DOWN)
        await fly.candle(-3)
        row = fly.rows()[0]
        assert (row.decision, row.came, row.gate) == (Decision.SHORT, Came.STOPPED, Gate.SPOT_ONLY)
        assert fly.rig.desk.ledger.newest() is None


async def test_switched_off_it_writes_down_and_does_nothing() -> None:
    async with flight() as fly:
        await fly.rig.tell("autopilot off")
        await fly.candle(3)
        [row] = fly.rows()
        assert (row.decision, row.came, row.gate) == (Decision.LONG, Came.STOPPED, Gate.AUTOPILOT_OFF)
        assert fly.rig.desk.ledger.newest() is None


async def test_candles_that_nobody_looked_at_are_missed_and_not_traded_late() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        begun = fly.rig.desk.ledger.newest()
        for step in (3, "-1.2", 3):
            await fly.candle(step, look=False)
        fly.rig.time.pass_s(200)
        assert await fly.pilot.look() == 0
        assert [row.reason for row in fly.rows()][:3] == [Reason.MISSED] * 3
        assert fly.rig.desk.ledger.newest() == begun
        fly.rig.time.pass_s(-200)
        await fly.candle("-1.2")
        assert fly.rows()[0].reason is not Reason.MISSED


async def test_the_first_look_of_all_calls_nothing_missed() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        assert len(fly.rows()) == 1


async def test_a_candle_is_not_asked_for_before_it_has_settled() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        await fly.candle(3, look=False)
        fly.rig.time.pass_s(-2)
        assert await fly.pilot.look() == 0
        fly.rig.time.pass_s(2)
        assert await fly.pilot.look() == 1


async def test_a_candle_that_comes_late_is_waited_for_and_one_that_never_comes_is_not() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        fly.rig.time.pass_s(300)
        assert await fly.pilot.look() == 0
        last = fly.rig.hand.history[ZEC][-1]
        fly._append(ZEC, last.ends_at, last.close, last.close + 3)
        fly.rig.time.pass_s(6)
        assert await fly.pilot.look() == 1


async def test_an_interval_without_trades_is_no_candle() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        assert await fly.candle(0, volume="0") == 0
        assert len(fly.rows()) == 1


async def test_a_market_that_is_down_breaks_nothing() -> None:
    async with flight() as fly:
        await fly.candle(3, look=False)
        fly.rig.hand.down = True
        assert await fly.pilot.look() == 0
        assert fly.rows() == []


async def test_a_decision_whose_process_died_is_named_as_interrupted_and_not_repeated() -> None:
    async with flight() as fly:
        await fly.candle(3, look=False)

        async def dies(*_: object) -> None:
            raise KeyboardInterrupt

        fly.pilot._act = dies  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyboardInterrupt):
            await fly.pilot.look()
        assert fly.rows()[0].came is Came.BEGUN
        again = Flight(await fly.rig.reopen())
        await again.pilot.look()
        row = again.rows()[0]
        assert (row.came, row.text) == (
            Came.INTERRUPTED,
            "it was cut off before an order was saved; nothing was bought",
        )
        assert again.rig.desk.ledger.newest() is None


async def test_an_order_that_was_saved_before_the_process_died_is_found_by_the_next() -> None:
    async with flight() as fly:
        await fly.candle(3, look=False)
        fly.pilot.evaluations.settle = lambda _: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyboardInterrupt):
            await fly.pilot.look()
        again = Flight(await fly.rig.reopen())
        await again.pilot.look()
        row = again.rows()[0]
        assert (row.came, row.bracket_id) == (Came.OPENED, again.bracket().id)
        assert len(again.rig.desk.ledger.unfinished()) == 1


async def test_the_limits_of_the_day_are_counted_in_the_ledger_and_outlive_a_restart() -> None:
    config = ONE.model_copy(update={"limits": Limits(trades_per_symbol=1)})
    async with flight(config) as fly:
        await fly.candle(3)
        await fly.rig.tell("close ZEC")
        again = Flight(await fly.rig.reopen())
        await again.candle("-1.2")
        await again.candle(3)
        row = again.rows()[0]
        assert (row.came, row.gate) == (Came.STOPPED, Gate.DAILY_LIMIT)
        assert "1 trades of ZEC/USD today, the limit is 1" in row.text


async def test_each_mode_has_its_own_switch_and_live_is_off_until_it_is_turned_on() -> None:
    async with flight() as fly:
        choices = fly.pilot.choices
        assert (choices.is_on(Mode.PAPER), choices.is_on(Mode.LIVE)) == (True, False)
        choices.switch(Mode.LIVE, on=True)
        choices.switch(Mode.PAPER, on=False)
        again = (await fly.rig.reopen()).service.pilot.choices
        assert (again.is_on(Mode.PAPER), again.is_on(Mode.LIVE)) == (False, True)


async def test_several_symbols_are_evaluated_together_and_each_has_its_row() -> None:
    config = ONE.model_copy(update={"universe": Universe(symbols=(ZEC, "ETH/USD"))})
    async with flight(config) as fly:
        fly.history(401, symbol="ETH/USD")
        await fly.candle(3, "ETH/USD", look=False)
        last = fly.rig.hand.history[ZEC][-1]
        fly._append(ZEC, last.ends_at, last.close, last.close + 3)
        assert await fly.pilot.look() == 2
        assert {row.symbol for row in fly.rows(None)} == {ZEC, "ETH/USD"}


async def test_positions_that_move_together_are_capped() -> None:
    risk = ONE.risk.model_copy(update={"correlated_positions": 1})
    config = ONE.model_copy(update={"universe": Universe(symbols=(ZEC, "ETH/USD")), "risk": risk})
    async with flight(config) as fly:
        fly.history(401, symbol="ETH/USD")
        await fly.candle(3, "ETH/USD", look=False)
        last = fly.rig.hand.history[ZEC][-1]
        fly._append(ZEC, last.ends_at, last.close, last.close + 3)
        fly.rig.hand.price(ZEC, last.close + 3)
        await fly.pilot.look()
        came = sorted(str(row.gate or row.came) for row in fly.rows(None))
        assert came == [Gate.CORRELATION.value, Came.OPENED.value]


async def test_old_rows_that_led_to_no_trade_are_let_go() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        await fly.candle(3)
        gone = fly.pilot.evaluations.prune(fly.rig.time.now + timedelta(days=1))
        assert gone == 1
        [left] = fly.rows()
        assert left.bracket_id == fly.bracket().id


def test_the_wiring_of_tests_has_the_strategy_that_the_bot_has() -> None:
    assert replace(Wiring()).strategy == in_currency(TradingConfig(), "USD")


async def test_symbols_are_chosen_by_their_figures_once_a_day_where_that_is_asked() -> None:
    config = ONE.model_copy(update={"universe": Universe(symbols=(ZEC,), select=True, size=2)})
    async with flight(config) as fly:
        rig = fly.rig
        for symbol, turnover in (("SOL/USD", "5e6"), ("ETH/USD", "9e6"), ("DOGE/USD", "1e3")):
            rig.hand.last[symbol] = replace(rig.hand.price(symbol, rig.hand.last[symbol].last), turnover=D(turnover))
        assert fly.pilot.choices.watched(Mode.PAPER) == (ZEC,)
        await fly.pilot.look()
        assert fly.pilot.choices.watched(Mode.PAPER) == ("ETH/USD", "SOL/USD")
        said = (await rig.tell("watchlist")).text
        assert "chosen by their figures on 2026-11-20" in said
        assert "1 left out, too little is traded in a day: DOGE/USD (1,000.00 of 1,000,000 USD a day)." in said
        assert "no figures came: BTC/USD (no price or no turnover), ZEC/USD" in said
        assert "It is not watched: too little is traded" in (await rig.tell("explain DOGE")).text
        await rig.tell("watch ZEC")
        assert not fly.pilot.choices.wants_selection(Mode.PAPER)
        assert fly.pilot.choices.watched(Mode.PAPER) == ("ETH/USD", "SOL/USD", ZEC)
