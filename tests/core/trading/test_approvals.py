"""A question is answered once, by the one who was asked, in time, and at the price that he was shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from bot.grammar.parse import Parsed
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.approvals import Wish
from core.trading.consent import Author, ConsentPolicy
from core.trading.reply import Reply
from tests.core.trading.live import live_exchange
from tests.rig import Rig, Wiring, open_rig

JIMMY, OTHER = "telegram:1", "telegram:2"
BUY = "buy $40 of ZEC sl 1% tp 2%"


async def ask(rig: Rig, text: str, author: Author = Author.MODEL, user: str = JIMMY, *, named: bool = False) -> Reply:
    understood = rig.grammar.parse(text)
    assert isinstance(understood, Parsed), understood
    return await rig.approvals.submit(Wish(user, understood.command, understood.mode, author, named))


def code_of(reply: Reply) -> str:
    assert reply.question is not None, reply.text
    return reply.question.code


@asynccontextmanager
async def asked(text: str = BUY, wiring: Wiring | None = None) -> AsyncIterator[tuple[Rig, str]]:
    async with open_rig(wiring) as rig:
        yield rig, code_of(await ask(rig, text))


async def test_a_question_shows_the_exact_order_its_risk_and_its_levels_and_does_nothing() -> None:
    async with open_rig() as rig:
        reply = await ask(rig, BUY)
        assert not reply.ok
        assert reply.code is Code.UNCONFIRMED
        assert reply.lines[0].startswith("Buy 0.078125 ZEC (ZEC/USD) at market, now about 512: 40.00 USD and about ")
        assert reply.lines[1] == "Stop 506.88 (1%), target 522.24 (2%)."
        assert reply.lines[2].startswith("At risk: 0.40 USD, 0.004% of equity; to gain: 0.80 USD (2 R)")
        assert rig.desk.ledger.unfinished() == ()
        assert await rig.exchange.fetch_open_orders() == []


async def test_what_is_confirmed_is_what_was_shown() -> None:
    async with asked() as (rig, code):
        reply = await rig.approvals.answer(JIMMY, code, yes=True)
        assert reply.ok, reply.text
        [bracket] = rig.desk.ledger.unfinished()
        assert bracket.quantity == Decimal("0.078125")
        assert (str(bracket.stop_price), str(bracket.target_price)) == ("506.88", "522.24")


async def test_a_second_press_changes_nothing_and_says_so() -> None:
    async with asked() as (rig, code):
        await rig.approvals.answer(JIMMY, code, yes=True)
        again = await rig.approvals.answer(JIMMY, code, yes=True)
        assert again.code is Code.CONFIRMATION
        assert "counts once" in again.text
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_a_press_of_somebody_else_is_refused_and_the_question_stays_open() -> None:
    async with asked() as (rig, code):
        foreign = await rig.approvals.answer(OTHER, code, yes=True)
        assert foreign.code is Code.CONFIRMATION
        assert rig.desk.ledger.unfinished() == ()
        assert (await rig.approvals.answer(JIMMY, code, yes=True)).ok


@pytest.mark.parametrize(("seconds", "done"), [(119, True), (120, False), (3600, False), (-5, False)])
async def test_a_question_lives_for_120_seconds(seconds: float, *, done: bool) -> None:
    async with asked() as (rig, code):
        rig.time.pass_s(seconds)
        rig.hand.price("ZEC/USD", "512")
        reply = await rig.approvals.answer(JIMMY, code, yes=True)
        assert reply.ok is done
        assert len(rig.desk.ledger.unfinished()) == int(done)


async def test_a_question_that_was_dropped_cannot_be_confirmed_any_more() -> None:
    async with asked() as (rig, code):
        dropped = await rig.approvals.answer(JIMMY, code, yes=False)
        assert dropped.ok
        assert "nothing was done" in dropped.text
        assert (await rig.approvals.answer(JIMMY, code, yes=True)).code is Code.CONFIRMATION
        assert rig.desk.ledger.unfinished() == ()


async def test_a_made_up_code_confirms_nothing() -> None:
    async with asked() as (rig, _):
        assert (await rig.approvals.answer(JIMMY, "AAAAAA", yes=True)).code is Code.CONFIRMATION
        assert rig.desk.ledger.unfinished() == ()


@pytest.mark.parametrize(("price", "done"), [("516", True), ("507", True), ("518", False), ("505", False)])
async def test_a_price_that_moved_more_than_a_percent_is_asked_about_again(price: str, *, done: bool) -> None:
    async with asked() as (rig, code):
        rig.hand.price("ZEC/USD", price)
        reply = await rig.approvals.answer(JIMMY, code, yes=True)
        assert reply.ok is done, reply.text
        if not done:
            assert "moved" in reply.text
            assert (await rig.approvals.answer(JIMMY, code_of(reply), yes=True)).ok
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_without_a_price_nothing_is_confirmed() -> None:
    async with asked() as (rig, code):
        rig.hand.down = True
        assert not (await rig.approvals.answer(JIMMY, code, yes=True)).ok
        rig.hand.down = False
        assert rig.desk.ledger.unfinished() == ()


async def test_flatten_is_bound_to_no_price() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 10% tp 20%")
        code = code_of(await ask(rig, "flatten", Author.PERSON))
        rig.hand.price("ZEC/USD", "480")
        assert (await rig.approvals.answer(JIMMY, code, yes=True)).ok
        assert rig.desk.ledger.unfinished() == ()


async def test_asked_twice_the_older_question_is_replaced_so_that_both_can_not_be_confirmed() -> None:
    async with asked() as (rig, first):
        second = code_of(await ask(rig, BUY))
        assert (await rig.approvals.answer(JIMMY, first, yes=True)).code is Code.CONFIRMATION
        assert (await rig.approvals.answer(JIMMY, second, yes=True)).ok
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_a_confirmation_counts_for_the_desk_that_was_shown_though_the_mode_was_switched() -> None:
    async with open_rig() as rig:
        live = live_exchange(rig)
        async with open_rig(Wiring(live=live)) as both:
            code = code_of(await ask(both, BUY))
            await both.service.switch(Mode.LIVE)
            reply = await both.approvals.answer(JIMMY, code, yes=True)
            assert reply.mode is Mode.PAPER
            assert len(both.service.desk(Mode.PAPER).ledger.unfinished()) == 1
            assert both.service.desk(Mode.LIVE).ledger.unfinished() == ()


async def test_a_live_wish_of_a_model_is_asked_about_even_when_every_word_agrees() -> None:
    async with open_rig() as rig:
        live = live_exchange(rig)
        async with open_rig(Wiring(live=live, first_mode=Mode.LIVE)) as both:
            reply = await ask(both, BUY, named=True)
            assert reply.question is not None
            assert reply.mode is Mode.LIVE
            assert both.service.desk(Mode.LIVE).ledger.unfinished() == ()


async def test_what_would_be_refused_is_refused_at_once_and_not_asked_about() -> None:
    async with open_rig() as rig:
        for text, code in (
            ("buy $90000 of ZEC", Code.BALANCE),
            ("close ETH", Code.NO_POSITION),
            ("live buy 0.04 ZEC", Code.WRONG_MODE),
            ("cancel PX-000099", Code.NOT_FOUND),
        ):
            reply = await ask(rig, text)
            assert (reply.code, reply.question) == (code, None), text


async def test_every_command_that_trades_shows_itself_before_and_does_it_after_the_answer() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 10% tp 20%")
        await rig.tell("buy 0.01 ETH limit 2000 sl 1% tp 2%")
        for text, shown in (
            ("sell 0.04 ZEC", "Sell 0.04 of 0.1 ZEC (ZEC/USD) at market, now about 512: 20.48 USD"),
            ("protect ZEC sl 480", "stop 460.8 → 480, target 614.4 stays. At the stop: about -1.92 USD before fees."),
            ("sell all my ZEC limit 600", "stop 480 stays, target 614.4 → 600."),
            ("cancel ETH", "Cancel the entry PX-000003 for 0.01 ETH/USD."),
            ("bracket 0.05 ZEC sl 1% tp 2%", "Buy 0.05 ZEC"),
            ("close all", "Its stop and target go with it."),
        ):
            reply = await ask(rig, text)
            assert shown in reply.text, f"{text}: {reply.text}"
            done = await rig.approvals.answer(JIMMY, code_of(reply), yes=True)
            assert done.ok, f"{text}: {done.text}"
        assert rig.desk.ledger.unfinished() == ()


async def test_a_setting_of_always_asks_about_a_named_paper_order_too() -> None:
    async with open_rig(Wiring(policy=ConsentPolicy(paper="always"))) as rig:
        assert (await ask(rig, BUY, named=True)).question is not None
    async with open_rig() as rig:
        assert (await ask(rig, BUY, named=True)).ok


@pytest.mark.parametrize("text", ["close ZEC", "sell all my ZEC", "protect ZEC sl 2%", "cancel ETH", "close all"])
async def test_what_has_changed_since_it_was_shown_is_asked_about_again(text: str) -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        await rig.tell("buy 0.01 ETH limit 2000 sl 1% tp 2%")
        code = code_of(await ask(rig, text))
        await rig.tell("buy 1 ZEC sl 1% tp 2%")
        await rig.tell("buy 0.02 ETH limit 2000 sl 1% tp 2%")
        held = [bracket.held for bracket in rig.desk.positions()]
        again = await rig.approvals.answer(JIMMY, code, yes=True)
        assert again.lines[0] == "What it is about has changed since you were asked, so you are asked again."
        assert [bracket.held for bracket in rig.desk.positions()] == held
        assert (await rig.approvals.answer(JIMMY, code_of(again), yes=True)).ok


async def test_two_questions_about_two_coins_are_both_open() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        await rig.tell("buy 0.01 ETH sl 1% tp 2%")
        codes = [code_of(await ask(rig, f"close {coin}")) for coin in ("ZEC", "ETH")]
        for code in codes:
            assert (await rig.approvals.answer(JIMMY, code, yes=True)).ok
        assert rig.desk.positions() == []
