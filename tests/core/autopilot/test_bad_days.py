"""The pilot on days when something breaks, is slow, dies, or is told to stop."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from core.autopilot import pilot as pilot_module
from core.domain.brackets import BracketState, ExitReason
from core.domain.market import Candle
from core.domain.modes import Mode
from core.risk.gates import Gate
from core.strategy.config import Universe
from core.strategy.evaluation import Came, Evaluation
from core.strategy.words import Decision
from core.trading.desk import Desk
from tests.core.autopilot.flight import DOWN, ONE, ZEC, Flight, flight


async def test_a_decision_that_breaks_takes_no_other_along_and_is_named() -> None:
    config = ONE.model_copy(update={"universe": Universe(symbols=(ZEC, "ETH/USD"))})
    async with flight(config) as fly:
        fly.history(401, symbol="ETH/USD")
        await fly.candle(3, "ETH/USD", look=False)
        last = fly.rig.hand.history[ZEC][-1]
        fly._append(ZEC, last.ends_at, last.close, last.close + 3)
        atr, calls = fly.rig.desk.market.book, []

        async def breaks_once(symbol: str) -> object:
            calls.append(symbol)
            if len(calls) == 1:
                raise RuntimeError("nobody thought of this")
            return await atr(symbol)

        fly.rig.hand.book = breaks_once  # type: ignore[method-assign, assignment]
        assert await fly.pilot.look() == 2
        came = {row.symbol: (row.came, row.text) for row in fly.rows(None)}
        assert came["ETH/USD"][0] is Came.REFUSED
        assert "something of ours broke (RuntimeError); whether an order was sent is UNKNOWN" in came["ETH/USD"][1]
        assert came[ZEC][0] is Came.OPENED


async def test_a_look_that_breaks_is_made_again_for_the_same_candle() -> None:
    async with flight() as fly:
        claim, fails = fly.pilot.evaluations.claim, [True]

        def breaks_once(found: Sequence[Evaluation]) -> list[Evaluation]:
            if fails:
                fails.clear()
                raise OperationalError("claim", {}, Exception("disk full"))
            return claim(found)

        fly.pilot.evaluations.claim = breaks_once  # type: ignore[method-assign]
        with pytest.raises(OperationalError):
            await fly.candle(3)
        fly.rig.time.pass_s(6)
        assert await fly.pilot.look() == 1
        assert fly.rows()[0].came is Came.OPENED


async def test_what_it_holds_is_looked_at_and_left_though_nobody_watches_it_any_more() -> None:
    async with flight() as fly:
        await fly.candle(3)
        await fly.rig.tell("protect ZEC sl 50%")
        assert "is looked at until it has ended" in (await fly.rig.tell("unwatch ZEC")).text
        for step in DOWN * 30:
            await fly.candle(step)
            if fly.bracket().state is BracketState.CLOSED:
                break
        assert fly.bracket().close_reason == ExitReason.STRATEGY
        assert await fly.candle(-3) == 0, "nothing is held and nothing is watched"


async def test_a_position_is_managed_on_candles_that_say_long_too() -> None:
    profit = ONE.profit.model_copy(update={"time_exit_candles": 2})
    async with flight(ONE.model_copy(update={"profit": profit})) as fly:
        await fly.candle(3)
        await fly.rig.tell("protect ZEC sl 50% tp 50%")
        for _ in range(3):
            await fly.candle("-1.2")
            await fly.candle(3)
            if fly.bracket().state is BracketState.CLOSED:
                break
        assert fly.rig.desk.ledger.begun_since(fly.rig.time.now - timedelta(days=1))[0].close_reason == ExitReason.TIME


async def test_switched_off_in_the_middle_of_a_round_it_buys_nothing_more() -> None:
    config = ONE.model_copy(update={"universe": Universe(symbols=(ZEC, "ETH/USD"))})
    async with flight(config) as fly:
        fly.history(401, symbol="ETH/USD")
        await fly.candle(3, "ETH/USD", look=False)
        last = fly.rig.hand.history[ZEC][-1]
        fly._append(ZEC, last.ends_at, last.close, last.close + 3)
        settle = fly.pilot.evaluations.settle

        def then_off(ended: Evaluation) -> None:
            settle(ended)
            fly.pilot.choices.switch(Mode.PAPER, on=False)

        fly.pilot.evaluations.settle = then_off  # type: ignore[method-assign]
        await fly.pilot.look()
        came = {row.symbol: row.gate for row in fly.rows(None)}
        assert came == {"ETH/USD": None, ZEC: Gate.AUTOPILOT_OFF}


async def test_an_order_by_hand_is_not_taken_for_the_one_that_was_interrupted() -> None:
    async with flight() as fly:
        await fly.candle(3, look=False)

        async def dies(*_: object) -> None:
            raise KeyboardInterrupt

        fly.pilot._act = dies  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyboardInterrupt):
            await fly.pilot.look()
        again = Flight(await fly.rig.reopen())
        await again.rig.tell("buy 0.1 ZEC sl 50% tp 50%")
        await again.pilot.look()
        assert again.rows()[0].came is Came.INTERRUPTED


async def _fall(fly: Flight) -> None:
    for step in DOWN * 30:
        await fly.candle(step)


async def test_a_way_out_that_was_interrupted_is_gone_by_the_next_process() -> None:
    async with flight() as fly:
        await fly.candle(3)
        await fly.rig.tell("protect ZEC sl 50%")
        act = fly.pilot._act

        async def dies(desk: Desk, begun: Evaluation, current: object) -> Evaluation:
            if begun.decision is not Decision.LONG:
                raise KeyboardInterrupt
            return await act(desk, begun, current)  # type: ignore[arg-type]

        fly.pilot._act = dies  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            await _fall(fly)
        again = Flight(await fly.rig.reopen())
        assert again.bracket().state is BracketState.OPEN
        await again.pilot.look()
        assert again.bracket().close_reason == ExitReason.STRATEGY
        assert again.rows()[0].came is Came.LEFT


async def test_symbols_without_a_trade_are_not_read_again_before_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilot_module, "READ_S", 0.05)
    symbols = tuple(f"{letter}{letter}/USD" for letter in "ABCDEFGH")
    config = ONE.model_copy(update={"universe": Universe(symbols=symbols)})
    async with flight(config) as fly:
        asked: list[str] = []

        async def quiet(symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
            assert patient, "nobody waits for these candles, and somebody may wait for an order"
            await asyncio.sleep(0.03)
            asked.append(symbol)
            return []

        fly.rig.hand.candles = quiet  # type: ignore[method-assign]
        fly.rig.time.pass_s(310)
        for _ in range(12):
            await fly.pilot.look()
            fly.rig.time.pass_s(6)
        assert len(asked) >= len(symbols)
        assert sorted(asked[: len(symbols)]) == sorted(symbols), "all of them once, before any of them twice"


async def test_a_source_that_is_slow_holds_up_nobody_but_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilot_module, "READ_S", 0.05)
    config = ONE.model_copy(update={"universe": Universe(symbols=(ZEC, "ETH/USD"))})
    async with flight(config) as fly:
        await fly.candle(3, look=False)
        candles = fly.rig.hand.candles

        async def slow(symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
            if symbol == "ETH/USD":
                await asyncio.Event().wait()
            return await candles(symbol, interval_s, count, patient=patient)

        fly.rig.hand.candles = slow  # type: ignore[method-assign]
        assert await fly.pilot.look() == 1
        assert fly.rows()[0].symbol == ZEC
