"""A broken promise of our own ends as one refused decision, an alert and a desk without entries; stops go on."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from core.domain.brackets import Bracket
from core.domain.errors import Code
from core.domain.market import Quote
from core.domain.modes import TradingState
from core.domain.money import ZERO
from core.domain.orders import OrderState, Role
from core.domain.venue import Cancel, Snapshot, Submit
from core.lifecycle.decide import Decision, decide
from core.lifecycle.rules import Rules
from core.lifecycle.states import move
from tests.rig import Rig, open_rig


def _buys_again(bracket: Bracket, snapshot: Snapshot, quote: Quote | None, now: datetime, rules: Rules) -> Decision:
    """The fault: whatever it decides, it adds an entry."""
    decision = decide(bracket, snapshot, quote, now, rules)
    entry = decision.after.orders[0]
    second = replace(entry, client_id=f"{bracket.id}-99", state=OrderState.SUBMITTING, filled=ZERO, fills=())
    after = replace(decision.after, orders=(*decision.after.orders, second))
    return replace(decision, after=after, actions=(*decision.actions, Submit(second, bracket.symbol)))


def _moves_illegally(bracket: Bracket, *_args: object) -> Decision:
    move(bracket.orders[0], OrderState.HELD)
    raise AssertionError("the table let it pass")


async def _bare(rig: Rig) -> Bracket:
    """A position whose stop somebody has just canceled at the venue."""
    await rig.tell("buy 1 ZEC SL 2% TP 3%")
    bracket = rig.desk.ledger.unfinished()[0]
    await rig.exchange.perform(Cancel(bracket.of_role(Role.STOP)[0], "ZEC/USD"))
    return bracket


@pytest.mark.parametrize(("fault", "promise"), [(_buys_again, "one_entry"), (_moves_illegally, "legal_move")])
async def test_a_decision_that_breaks_a_promise_is_not_sent_and_the_position_gets_its_stop(
    monkeypatch: pytest.MonkeyPatch, fault: object, promise: str
) -> None:
    async with open_rig() as rig:
        bracket = await _bare(rig)
        monkeypatch.setattr("core.trading.tick.decide", fault)
        await rig.tick()
        await rig.tick()
        after = rig.desk.ledger.unfinished()[0]
        assert len(after.of_role(Role.ENTRY)) == 1
        assert after.bought == 1
        resting = await rig.exchange.fetch_open_orders("ZEC/USD")
        assert [(order.type.value, order.quantity) for order in resting] == [("stop-loss", Decimal(1))]
        assert [one.promise for one in rig.desk.ledger.incidents.open()] == [promise]
        assert bracket.id in rig.desk.ledger.incidents.open()[0].state
        told = [alert.text for alert in rig.store.waiting_alerts() if alert.kind == "state_changed"]
        assert len(told) == 1
        assert "halted for new entries" in told[0]
        assert promise in told[0]


async def test_a_halted_desk_denies_entries_through_restarts_until_the_owner_resumes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_rig() as rig:
        await _bare(rig)
        monkeypatch.setattr("core.trading.tick.decide", _buys_again)
        await rig.tick()
        monkeypatch.undo()
        again = await rig.reopen()
        assert again.desk.state is TradingState.HALTED
        denied = await again.tell("buy 1 ETH SL 2% TP 3%")
        assert denied.code is Code.NOT_ACTIVE
        assert "one_entry" in denied.text
        assert (await again.tell("sell half my ZEC")).ok
        shown = await again.tell("risk")
        assert "Trading state: halted." in shown.text
        assert "one_entry" in shown.text
        assert "1 broken promise(s) marked as seen" in (await again.tell("risk resume")).text
        assert (await again.tell("buy 1 ETH SL 2% TP 3%")).ok
        assert "Trading state: active." in (await again.tell("risk")).text
        assert (await again.reopen()).desk.state is TradingState.ACTIVE


async def test_resuming_a_desk_that_is_not_halted_changes_nothing() -> None:
    async with open_rig() as rig:
        assert "is not halted" in (await rig.tell("risk resume")).text
        assert rig.store.waiting_alerts() == []


async def test_risk_shows_the_limits_in_force() -> None:
    async with open_rig() as rig:
        text = (await rig.tell("risk")).text
        assert "MAX_ORDER_QUOTE" in text
        assert "1000000 USD" in text


async def test_what_the_venue_shows_is_booked_even_where_nothing_that_could_be_sent_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        rig.hand.trade("ZEC/USD", "500")
        for name in ("decide", "leave_or_protect", "only_protect"):
            monkeypatch.setattr(f"core.trading.tick.{name}", _buys_again)
        await rig.tick()
        [bracket] = rig.desk.ledger.unfinished()
        assert bracket.held == 0
        assert [order.state for order in bracket.of_role(Role.STOP)] == [OrderState.FILLED]
        monkeypatch.undo()
        await rig.tick()
        assert rig.desk.ledger.unfinished() == ()
