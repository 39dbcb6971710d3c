"""What was cut off, came late, or was decided while nobody looked: told as the ledger shows it, never traded late."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.autopilot import entering
from core.autopilot.leaving import left_meanwhile
from core.domain.brackets import BracketState, ExitReason, Leave
from core.domain.modes import Mode
from core.domain.venue import Unknown
from core.lifecycle.decide import Decision as Decision_
from core.risk.gates import Gate, Passed, Stopped
from core.risk.limits import active_risk
from core.strategy.config import ConfigError, TradingConfig, Universe, in_currency
from core.strategy.evaluation import Came, Evaluation
from core.strategy.words import Decision, Reason
from core.trading.desk import Desk
from tests.core.autopilot.flight import DOWN, ONE, ZEC, Flight, flight
from tests.rig import WIDE, Wiring

D = Decimal


async def _unanswered(fly: Flight) -> None:
    """Every entry from now on is lost on its way, and its answer with it."""
    perform = fly.rig.desk.exchange.perform

    async def lost(action: object) -> object:
        order = action.order  # type: ignore[attr-defined]
        return Unknown("time-out") if order.role == "entry" else await perform(action)  # type: ignore[arg-type]

    fly.rig.desk.exchange.perform = lost  # type: ignore[method-assign, assignment]


async def test_an_entry_without_an_answer_is_begun_until_the_ledger_knows_and_then_told_as_it_ended() -> None:
    async with flight() as fly:
        await _unanswered(fly)
        await fly.candle(3)
        row = fly.rows()[0]
        assert row.came is Came.BEGUN
        assert row.text.startswith("the entry is sent and not answered yet")
        fly.rig.time.pass_s(6)
        await fly.rig.tick()
        await fly.pilot.look()
        assert fly.rows()[0].came is Came.BEGUN, "before its deadline nobody knows"
        for _ in range(4):
            fly.rig.time.pass_s(6)
            await fly.rig.tick()
        await fly.pilot.look()
        row = fly.rows()[0]
        assert (row.came, row.gate, row.bracket_id) == (Came.REFUSED, Gate.ORDER, fly.bracket().id)
        assert row.text.startswith("the entry is lost")
        assert "NOT BOUGHT" not in row.text
        assert "not bought, the entry never reached the venue" in (await fly.rig.tell("explain ZEC")).text


async def test_an_entry_in_flight_counts_with_what_it_was_planned_to_risk() -> None:
    async with flight() as fly:
        await _unanswered(fly)
        await fly.candle(3)
        bracket = fly.bracket()
        assert bracket.risk_per_unit is not None
        assert active_risk([bracket]) == bracket.quantity * bracket.risk_per_unit > 0


async def _fall(fly: Flight) -> None:
    for step in DOWN * 30:
        await fly.candle(step)


async def _begun_to_leave(fly: Flight) -> Flight:
    """A process that died between the decision to leave and the sale; the next one, before its first look."""
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
    return Flight(await fly.rig.reopen())


async def test_a_way_out_that_was_cut_off_is_not_taken_hours_later() -> None:
    async with flight() as fly:
        again = await _begun_to_leave(fly)
        again.rig.time.pass_s(9 * 3600)
        await again.pilot.look()
        row = next(one for one in again.rows() if one.came is Came.INTERRUPTED)
        assert row.text.startswith("it was cut off before anything was sold, and its candle closed")
        assert again.bracket().state is BracketState.OPEN


async def test_a_way_out_that_was_cut_off_is_not_taken_once_the_autopilot_is_off() -> None:
    async with flight() as fly:
        again = await _begun_to_leave(fly)
        await again.rig.tell("autopilot off")
        await again.pilot.look()
        row = next(one for one in again.rows() if one.came is Came.INTERRUPTED)
        assert row.text.endswith("the autopilot is off: nothing was sold")
        assert again.bracket().state is BracketState.OPEN


async def test_a_way_out_that_was_cut_off_and_ended_by_its_stop_is_told_so() -> None:
    async with flight() as fly:
        again = await _begun_to_leave(fly)
        await again.rig.tell("close ZEC")
        await again.pilot.look()
        rows = [one for one in again.rows() if one.came is Came.LEFT]
        assert [one.text for one in rows] == ["it had ended before: closed by your command"]


async def test_a_part_that_somebody_sells_is_not_the_way_out_that_was_cut_off() -> None:
    async with flight() as fly:
        again = await _begun_to_leave(fly)
        bracket = again.bracket()
        begun = next(one for one in again.rows() if one.came is Came.BEGUN)
        for quantity, is_out in ((bracket.held / 4, False), (bracket.held, True)):
            wish = Leave(quantity, ExitReason.COMMAND, D(0), again.rig.time())
            again.rig.desk.ledger.save([Decision_(bracket, replace(bracket, leave=wish), (), (), ())])
            assert (left_meanwhile(again.rig.desk, begun) is not None) is is_out


async def test_a_list_from_before_each_mode_had_its_own_holds_for_both() -> None:
    async with flight() as fly:
        fly.pilot.choices._store.put("watchlist", '["SOL/USD"]')
        choices = fly.pilot.choices
        assert choices.watched(Mode.LIVE) == choices.watched(Mode.PAPER) == ("SOL/USD",)
        assert choices.is_chosen(Mode.LIVE)
        choices.watch(Mode.PAPER, [ZEC])
        assert (choices.watched(Mode.PAPER), choices.watched(Mode.LIVE)) == ((ZEC,), ("SOL/USD",))


async def test_what_was_decided_before_a_flatten_is_not_bought_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with flight() as fly:
        ask = entering._ask

        async def then_flat(*given: Any) -> Passed | Stopped:
            verdict = await ask(*given)
            fly.rig.desk.flattened += 1
            return verdict

        monkeypatch.setattr(entering, "_ask", then_flat)
        await fly.candle("-1.2")
        row = fly.rows()[-1]
        assert (row.came, row.gate) == (Came.REFUSED, Gate.ORDER)
        assert "was flattened meanwhile; nothing was bought" in row.text
        assert fly.rig.desk.ledger.newest() is None


async def test_candles_of_a_symbol_that_nobody_watched_are_not_missed() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        await fly.rig.tell("close ZEC")
        await fly.rig.tell("unwatch ZEC")
        for step in (3, "-1.2", 3):
            await fly.candle(step)
        await fly.rig.tell("watch ZEC")
        await fly.candle("-1.2")
        assert [row.reason for row in fly.rows() if row.reason is Reason.MISSED] == []
        assert len(fly.rows()) == 2, "the one before and the one after"


async def test_each_mode_watches_its_own_list_so_that_paper_gives_live_nothing_to_trade() -> None:
    async with flight() as fly:
        assert "Watched in PAPER now (2): ZEC/USD, SOL/USD." in (await fly.rig.tell("watch SOL")).text
        choices = fly.pilot.choices
        assert choices.watched(Mode.PAPER) == (ZEC, "SOL/USD")
        assert choices.watched(Mode.LIVE) == (ZEC,)


async def test_a_price_that_moves_between_gate_and_door_makes_an_order_smaller_and_does_not_lose_it() -> None:
    limits = replace(WIDE, max_order_quote=D(1000))
    async with flight(limits=limits) as fly:
        fresh = fly.rig.desk.fresh_quote
        asked = []

        async def rising(symbol: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - the desk's own
            quote = await fresh(symbol)
            asked.append(quote)
            return replace(quote, ask=quote.ask + len(asked))

        fly.rig.desk.fresh_quote = rising  # type: ignore[method-assign]
        await fly.candle(3)
        row = fly.rows()[0]
        assert row.came is Came.OPENED, row.text
        assert "reduced from" in row.text
        assert len(asked) >= 2


async def test_the_owners_own_coins_leave_less_room_and_the_gate_says_so() -> None:
    limits = replace(WIDE, exposure_pct_max=D(90))
    async with flight(limits=limits) as fly:
        await fly.rig.tell("buy 2.8 ETH sl 1% tp 50%")
        fly.rig.desk.settings = replace(fly.rig.desk.settings, limits=replace(limits, exposure_pct_max=D(86)))
        await fly.candle(3)
        row = fly.rows()[0]
        assert (row.came, row.gate) == (Came.STOPPED, Gate.EXPOSURE), row.text


async def test_explain_names_the_stop_that_ended_a_trade() -> None:
    async with flight() as fly:
        await fly.candle(3)
        stop = fly.bracket().stop_price or D(0)
        fly.rig.hand.trade(ZEC, str(stop - 1))
        await fly.rig.tick()
        assert fly.bracket().close_reason == ExitReason.STOP
        await fly.candle("-1.2")
        said = (await fly.rig.tell("why did you sell ZEC")).text
        assert "The last trade of it that ended at" in said
        assert "ZEC/USD closed: stop hit. Result" in said


def test_coins_become_pairs_of_the_owners_currency_and_other_pairs_are_refused_by_name() -> None:
    assert in_currency(TradingConfig(), "EUR").universe.symbols[:2] == ("BTC/EUR", "ETH/EUR")
    mixed = TradingConfig(universe=Universe(symbols=("ETH/EUR", "SOL/USD")))
    with pytest.raises(ConfigError, match=r"names SOL/USD, and QUOTE_CURRENCY is EUR"):
        in_currency(mixed, "EUR")


def test_a_universe_of_what_is_no_symbol_is_refused() -> None:
    with pytest.raises(ValueError, match="symbols"):
        Universe(symbols=("eth usd",))


def test_the_wiring_of_these_tests_is_the_aggressive_one() -> None:
    assert Wiring().strategy.profile == ONE.profile == "aggressive"
