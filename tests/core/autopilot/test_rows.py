"""What the evaluation log says of a trade, and what the ledger says of it now."""

from dataclasses import replace
from decimal import Decimal

from core.domain.brackets import BracketState, ExitReason
from core.domain.modes import Mode
from core.domain.money import plain
from core.domain.venue import Refused
from core.strategy.config import Profit
from core.strategy.evaluation import Came
from core.strategy.words import Decision
from tests.core.autopilot.flight import ONE, flight

D = Decimal


async def test_explain_tells_how_a_trade_stands_now_not_how_it_stood_when_it_was_opened() -> None:
    async with flight() as fly:
        await fly.candle(3)
        said = (await fly.rig.tell("explain ZEC")).text
        assert "What came of it: opened, bought" in said
        assert f"are held; stop {fly.bracket().stop_price} rests" in said
        await fly.rig.tell("close ZEC")
        said = (await fly.rig.tell("explain ZEC")).text
        assert "Now: ZEC/USD closed: closed by your command. Result" in said
        assert "are held" not in said
        assert "→ closed by your command" in (await fly.rig.tell("evaluation history")).text


async def test_an_entry_that_was_written_down_as_opened_and_never_arrived_is_told_as_not_bought() -> None:
    """The row keeps what was known then; what is said of it is what the ledger shows."""
    async with flight() as fly:
        await fly.candle(3)
        before = fly.bracket()
        entry = before.entry
        assert entry is not None
        never = replace(
            before, orders=(), state=BracketState.CLOSED, close_reason=ExitReason.ENTRY_LOST, closed_at=fly.rig.time.now
        )
        fly.rig.desk.ledger.bracket = lambda _: never  # type: ignore[method-assign, assignment]
        assert "→ NOT BOUGHT, the entry never reached the venue" in (await fly.rig.tell("evaluations")).text
        assert (
            "Now: ZEC/USD: not bought, the entry never reached the venue." in (await fly.rig.tell("explain ZEC")).text
        )


async def test_a_step_of_profit_targeting_is_in_the_row_of_its_candle_and_leads_to_its_bracket() -> None:
    profit = Profit(break_even_at_r=D("0.1"))
    async with flight(ONE.model_copy(update={"profit": profit})) as fly:
        await fly.candle(3)
        bracket = fly.bracket()
        await fly.rig.tell("protect ZEC tp 50%")
        await fly.candle(4)
        row, after = fly.rows()[0], fly.bracket()
        assert after.stop_price is not None
        assert after.stop_price == after.entry_average
        assert "its stop goes to its entry" in row.text
        assert f"stop {plain(after.stop_price)} rests on" in row.text
        assert bracket.id in {row.bracket_id, row.holding}
        told = [alert.text for alert in fly.rig.store.waiting_alerts(100)]
        assert any("Autopilot, ZEC/USD: its stop goes to its entry" in text for text in told)


async def test_a_step_that_the_venue_refuses_is_not_told_as_taken() -> None:
    profit = Profit(break_even_at_r=D("0.1"))
    async with flight(ONE.model_copy(update={"profit": profit})) as fly:
        await fly.candle(3)
        stood = fly.bracket().stop_price or D(0)
        await fly.rig.tell("protect ZEC tp 50%")
        perform = fly.rig.desk.exchange.perform

        async def refuses(action: object) -> object:
            if type(action).__name__ == "Amend":
                return Refused("EGeneral:Invalid arguments")
            return await perform(action)  # type: ignore[arg-type]

        fly.rig.desk.exchange.perform = refuses  # type: ignore[method-assign, assignment]
        await fly.candle(4)
        text = fly.rows()[0].text
        assert f"stop {plain(stood)} rests on" in text
        assert "NOT MOVED there yet" in text


async def test_a_step_of_a_candle_without_a_decision_makes_the_row_a_managed_one() -> None:
    profit = Profit(time_exit_candles=1)
    async with flight(ONE.model_copy(update={"profit": profit})) as fly:
        await fly.candle(3)
        bracket = fly.bracket()
        await fly.rig.tell("protect ZEC sl 50% tp 50%")
        await fly.candle(4)
        row = fly.rows()[0]
        assert row.decision is Decision.NO_TRADE
        assert (row.came, row.bracket_id) == (Came.MANAGED, bracket.id)
        assert row.text == f"its time is over (held for 1 candles without reaching a leg): sold {bracket.held} ZEC"
        assert row.mode is Mode.PAPER
        assert "What came of it: managed, its time is over" in (await fly.rig.tell("explain ZEC")).text
