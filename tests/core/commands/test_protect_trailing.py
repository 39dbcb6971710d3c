"""`protect … trailing stop …` on a paper desk, from the sentence to the sale."""

from decimal import Decimal

import pytest

from core.domain.brackets import Bracket, ExitReason, Level, LevelUnit
from core.domain.errors import Code
from core.trading.reply import Reply
from tests.rig import Rig, open_rig

D = Decimal
BUY = "buy 1 ZEC sl 2% tp 50%"


def position(rig: Rig) -> Bracket:
    [found] = rig.desk.ledger.unfinished()
    return found


async def resting(rig: Rig) -> list[Decimal | None]:
    """The triggers of the stops at the venue."""
    return [order.trigger_price for order in await rig.exchange.fetch_open_orders()]


async def rise(rig: Rig, *prices: str) -> None:
    for price in prices:
        rig.hand.trade("ZEC/USD", price)
        await rig.tick()


async def trail(rig: Rig, how: str = "2%") -> Reply:
    return await rig.tell(f"protect ZEC trailing stop {how}")


async def test_the_resting_stop_rises_with_the_price_and_sells_at_it() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        reply = await trail(rig)
        assert reply.ok
        assert await resting(rig) == [D("501.76")]
        await rise(rig, "520.00", "560.00")
        assert await resting(rig) == [D("548.80")]
        await rise(rig, "552.00")
        assert await resting(rig) == [D("548.80")], "it never goes back"
        await rise(rig, "548.00")
        assert rig.desk.ledger.unfinished() == ()
        sold = rig.desk.ledger.newest("ZEC/USD")
        assert sold is not None
        assert sold.close_reason is ExitReason.STOP
        assert sold.result_quote is not None
        assert sold.result_quote > 30


async def test_a_stop_begins_no_lower_than_the_one_that_is_there() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 1% tp 50%")
        assert await resting(rig) == [D("506.88")]
        await trail(rig, "5%")
        assert await resting(rig) == [D("506.88")]
        await rise(rig, "530.00")
        assert await resting(rig) == [D("506.88")]
        await rise(rig, "560.00")
        assert await resting(rig) == [D("532.00")]


@pytest.mark.parametrize("fixed", ["protect ZEC sl 500", "move the stop of ZEC to break even", "protect ZEC sl 3%"])
async def test_a_later_fixed_stop_ends_the_trailing(fixed: str) -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        await trail(rig)
        await rise(rig, "530.00")
        assert (await rig.tell(fixed)).ok
        before = await resting(rig)
        assert (position(rig).trail, position(rig).trail_high) == (None, None)
        await rise(rig, "560.00", "590.00")
        assert await resting(rig) == before


async def test_a_target_that_is_moved_leaves_the_stop_trailing() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        await trail(rig)
        assert (await rig.tell("set target on ZEC at 700")).ok
        assert position(rig).trail == Level(D(2), LevelUnit.PERCENT)
        await rise(rig, "600.00")
        assert await resting(rig) == [D("588.00")]
        assert position(rig).target_price == D("700.00")


async def test_a_second_trailing_stop_is_a_new_distance_from_the_price_as_it_is() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        await trail(rig)
        await rise(rig, "560.00", "555.00")
        await trail(rig, "5%")
        assert await resting(rig) == [D("548.80")], "no lower than before"
        await trail(rig, "1%")
        assert await resting(rig) == [D("549.45")]


async def test_every_position_of_the_symbol_trails_and_no_other() -> None:
    async with open_rig() as rig:
        for text in (BUY, BUY, "buy 1 ETH sl 2% tp 50%"):
            await rig.tell(text)
        await trail(rig)
        trails = {(one.symbol, one.trail is not None) for one in rig.desk.ledger.unfinished()}
        assert trails == {("ZEC/USD", True), ("ETH/USD", False)}


async def test_the_trailing_goes_on_in_the_next_process() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        await trail(rig)
        await rise(rig, "540.00")
        again = await rig.reopen()
        await rise(again, "560.00")
        assert await resting(again) == [D("548.80")]
        assert position(again).trail_high == D("560.00")


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("protect ZEC trailing stop 500", Code.STOP_LOSS),
        ("protect ETH trailing stop 2%", Code.NO_POSITION),
    ],
)
async def test_what_cannot_trail_is_refused_and_nothing_moves(sentence: str, code: Code) -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        assert (await rig.tell(sentence)).code is code
        assert position(rig).trail is None
        assert await resting(rig) == [D("501.76")]


async def test_an_entry_that_still_waits_has_nothing_to_trail() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC limit 400 sl 2% tp 3%")
        reply = await trail(rig)
        assert reply.code is Code.STOP_LOSS
        assert "not bought yet" in reply.text


async def test_a_wider_market_counts_from_the_bid() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        rig.hand.price("ZEC/USD", "550.00", half_spread="1.00")
        await trail(rig)
        assert await resting(rig) == [D("538.02")]


async def test_the_reply_and_open_say_that_it_trails() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        reply = await trail(rig)
        assert "trail" in reply.text
        assert "trail" in (await rig.tell("open ZEC")).text


async def test_a_distance_in_atr_without_an_atr_is_refused_as_a_fixed_stop_in_atr_is() -> None:
    async with open_rig() as rig:
        await rig.tell(BUY)
        assert not (await rig.tell("protect ZEC sl 2 ATR")).ok
        assert not (await trail(rig, "2 ATR")).ok
