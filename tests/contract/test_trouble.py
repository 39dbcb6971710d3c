"""Trouble: what a venue does is never an exception of `perform`, and what cannot be read is one that has a name."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from core.domain.orders import Order, Side
from core.domain.venue import Accepted, Action, Amend, Cancel, Outcome, Refused, Submit, Unknown
from core.exchange.errors import MarketDownError, VenueUnreadableError
from core.exchange.kraken_private import KrakenExchangeWrapper
from tests.contract.subject import ZEC, Hand, Lack, on_every_venue, reason_of
from tests.contract.venues import HostileSubject, KrakenSubject
from tests.simulation.faults import CALM
from tests.simulation.venue import WORDS
from tests.standins import kraken_faults as faults
from tests.standins.kraken_faults import EVERY_FAULT, PrivateFault

D = Decimal


async def _actions(hand: Hand) -> list[Action]:
    """One of each kind, of which the last two are about an order that rests."""
    placed = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    return [
        Submit(hand.order("zyc-2", Side.BUY, "0.04"), ZEC),
        Submit(hand.order("zyc-3", Side.BUY, "0.04", limit="480"), ZEC),
        Amend(placed, ZEC, D("0.05"), D(490), None),
        Cancel(placed, ZEC),
    ]


@on_every_venue
async def test_nothing_that_is_sent_into_an_outage_raises_or_is_said_to_be_done(hand: Hand) -> None:
    actions = await _actions(hand)
    await hand.subject.strand()
    for action in actions:
        outcome = await hand.exchange.perform(action)
        if Lack.DISTANCE in hand.subject.lacks:
            # Its books are ours: an order that only rests needs no price, and a cancel needs nothing at all.
            assert isinstance(outcome, Accepted | Refused), outcome
        else:
            assert isinstance(outcome, Unknown), outcome


@on_every_venue
async def test_what_cannot_be_reached_cannot_be_read_and_says_so(hand: Hand) -> None:
    hand.needs(Lack.DISTANCE)
    order = await hand.buy()
    await hand.look(order.client_id)
    await hand.subject.strand()
    await hand.subject.pass_s(90)
    reads: list[Callable[[], Awaitable[Any]]] = [
        lambda: hand.exchange.snapshot([order.client_id]),
        hand.exchange.fetch_open_orders,
    ]
    if Lack.FILLS not in hand.subject.lacks:
        reads.append(lambda: hand.exchange.fetch_fills(order.created_at))
    for read in reads:
        with pytest.raises(VenueUnreadableError):
            await read()


@on_every_venue
async def test_a_market_that_is_down_keeps_paper_from_trading_and_not_from_being_read(hand: Hand) -> None:
    if Lack.DISTANCE not in hand.subject.lacks:
        pytest.skip("the market is this venue's own")
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    await hand.subject.strand()
    with pytest.raises(MarketDownError):
        await hand.exchange.advance()
    assert (await hand.exchange.snapshot([order.client_id])).orders.keys() == {"zyc-1"}
    assert reason_of(await hand.send(hand.order("zyc-2", Side.BUY, "0.04"))).startswith("EService:Unavailable")
    assert isinstance(await hand.exchange.perform(Cancel(order, ZEC)), Accepted)


@on_every_venue
async def test_an_outage_that_is_over_leaves_the_books_readable_and_true(hand: Hand) -> None:
    order = await hand.place(hand.order("zyc-1", Side.BUY, "0.04", limit="490"))
    bought = await hand.buy()
    await hand.subject.strand()
    lost = await hand.send(hand.order("zyc-3", Side.BUY, "0.04", limit="491"))
    assert not isinstance(lost, Accepted)
    await hand.subject.rescue()
    snapshot = await hand.look(bought.client_id, "zyc-3")
    assert set(snapshot.orders) == {order.client_id, bought.client_id}
    assert (await hand.exchange.readiness()).problem == ""
    assert isinstance(await hand.exchange.perform(Cancel(order, ZEC)), Accepted)


@on_every_venue
async def test_an_account_that_cannot_be_reached_is_not_ready_and_may_become_so(hand: Hand) -> None:
    _subject(hand)
    await hand.subject.strand()
    readiness = await hand.exchange.readiness()
    assert readiness.problem
    assert not readiness.is_final


# -- every way in which Kraken's answers go wrong ---------------------------------------------------------------------


async def _exists(hand: Hand, name: str) -> bool:
    return name in (await hand.look(name)).orders


def _is_proven(outcome: Outcome, *, happened: bool) -> bool:
    """True where the outcome claims nothing that is not so."""
    if isinstance(outcome, Accepted):
        return happened
    return not happened if isinstance(outcome, Refused) else True


def _subject(hand: Hand) -> KrakenSubject:
    if not isinstance(hand.subject, KrakenSubject):
        pytest.skip("only Kraken's answers go wrong in these ways")
    return hand.subject


async def _with_fault(hand: Hand, fault: PrivateFault, endpoint: str, action: Action) -> Outcome:
    kraken = _subject(hand).kraken
    kraken.fail(fault, times=1, endpoint=endpoint)
    outcome = await hand.exchange.perform(action)
    kraken.recover()
    return outcome


@on_every_venue
async def test_no_fault_of_an_answer_raises_or_makes_an_entry_claim_what_is_not_so(hand: Hand) -> None:
    _subject(hand)
    for number, fault in enumerate(EVERY_FAULT):
        order = hand.order(f"zyc-{number}", Side.BUY, "0.04", limit="490")
        outcome = await _with_fault(hand, fault, "AddOrder", Submit(order, ZEC))
        happened = await _exists(hand, order.client_id)
        assert _is_proven(outcome, happened=happened), (str(fault), outcome, happened)
        assert len(_subject(hand).kraken.account.by_name(order.client_id)) <= 1, f"{fault}: sent more than once"


@on_every_venue
async def test_no_fault_of_an_answer_raises_or_makes_an_amend_or_cancel_claim_what_is_not_so(hand: Hand) -> None:
    _subject(hand)
    for number, fault in enumerate(EVERY_FAULT):
        order: Order = await hand.place(hand.order(f"zyc-{number}", Side.BUY, "0.04", limit="490"))
        outcome = await _with_fault(hand, fault, "AmendOrder", Amend(order, ZEC, D("0.05"), D(491), None))
        amended = (await hand.shown(order)).quantity == D("0.05")
        assert _is_proven(outcome, happened=amended), (str(fault), outcome, amended)
        outcome = await _with_fault(hand, fault, "CancelOrder", Cancel(order, ZEC))
        canceled = not [one for one in await hand.resting() if one.client_id == order.client_id]
        assert _is_proven(outcome, happened=canceled), (str(fault), outcome, canceled)
        if not canceled:
            assert isinstance(await hand.exchange.perform(Cancel(order, ZEC)), Accepted)


@on_every_venue
async def test_no_fault_of_a_reading_is_anything_but_unreadable(hand: Hand) -> None:
    subject = _subject(hand)
    order = await hand.buy()
    for fault in EVERY_FAULT:
        subject.kraken.fail(fault)
        try:
            shown = await hand.look(order.client_id)
        except VenueUnreadableError:
            continue
        finally:
            subject.kraken.recover()
        assert shown.orders[order.client_id].filled == D("0.04"), str(fault)


@on_every_venue
async def test_an_answer_that_comes_too_late_proves_nothing(hand: Hand) -> None:
    client = cast("Any", cast("KrakenExchangeWrapper", _subject(hand).exchange).wire.client)
    for fault in (faults.slow(0.4), faults.slow(0.4, after=True)):
        order = hand.order(f"zyc-{fault.after}", Side.BUY, "0.04", limit="490")
        patience_ms, client.timeout = client.timeout, 150
        assert isinstance(await _with_fault(hand, fault, "AddOrder", Submit(order, ZEC)), Unknown)
        client.timeout = patience_ms
        await asyncio.sleep(0.3)
        assert (await hand.shown(order)).filled == D(0), "it was there all along, or came late"


@on_every_venue
async def test_a_refusal_out_of_the_blue_is_an_outcome_and_nothing_is_there(hand: Hand) -> None:
    if not isinstance(hand.subject, HostileSubject):
        pytest.skip("only the simulation refuses by a throw of dice")
    dice = hand.subject.venue.dice
    dice.faults = replace(CALM, refused=1.0)
    reason = reason_of(await hand.send(hand.order("zyc-1", Side.BUY, "0.04", limit="490")))
    assert reason in WORDS
    dice.faults = CALM
    assert (await hand.look("zyc-1")).orders == {}
