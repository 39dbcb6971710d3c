"""The tick against a venue that loses, refuses and hides."""

from typing import cast

from core.domain.brackets import BracketState, ExitReason
from core.domain.errors import Code
from core.domain.modes import TradingState
from core.domain.orders import OrderState, Role
from core.domain.venue import Submit
from tests.core.trading.faults import FaultyExchange
from tests.rig import Rig, Wiring, open_rig


def _faults(rig: Rig) -> FaultyExchange:
    return cast("FaultyExchange", rig.exchange)


WIRING = Wiring(wrap=FaultyExchange)


async def test_an_entry_whose_answer_was_lost_is_found_and_protected_without_a_second_one() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).lose_answer.add("entry")
        reply = await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        assert reply.ok, reply.text
        assert "Bought 0.04" in reply.text
        entries = [one for one in _faults(rig).performed if isinstance(one, Submit) and one.order.role is Role.ENTRY]
        assert len(entries) == 1
        assert [order.type.value for order in await rig.exchange.fetch_open_orders()] == ["stop-loss"]


async def test_an_entry_that_never_arrived_is_called_unknown_then_lost_and_never_repeated() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).lose_request.add("entry")
        reply = await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        assert reply.code is Code.UNKNOWN
        assert "UNKNOWN" in reply.text
        for _ in range(3):
            rig.time.pass_s(20)
            await rig.tick()
        assert rig.desk.ledger.unfinished() == ()
        assert len(_faults(rig).performed) == 1
        bracket = rig.desk.ledger.bracket(reply.data["bracket"])
        assert bracket is not None
        assert bracket.close_reason is ExitReason.ENTRY_LOST
        assert rig.desk.ledger.executed() == []


async def test_a_partial_snapshot_proves_no_absence() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).lose_request.add("entry")
        await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        _faults(rig).incomplete = True
        for _ in range(5):
            rig.time.pass_s(20)
            await rig.tick()
        assert [bracket.state for bracket in rig.desk.ledger.unfinished()] == [BracketState.PENDING]


async def test_nothing_is_bought_on_half_a_picture() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).incomplete = True
        reply = await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        assert reply.code is Code.VENUE_UNREADABLE
        assert rig.desk.ledger.newest() is None


async def test_an_unreadable_venue_changes_nothing_and_open_says_so() -> None:
    async with open_rig(WIRING) as rig:
        await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        before = rig.desk.ledger.unfinished()
        _faults(rig).unreadable = True
        report = await rig.tick()
        assert report.troubles == ["the venue of this test does not answer"]
        assert rig.desk.ledger.unfinished() == before
        shown = await rig.tell("open")
        assert (shown.ok, shown.code) == (False, Code.VENUE_UNREADABLE)


async def test_a_refused_stop_sets_the_desk_to_reducing_until_it_rests() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).refuse["stop"] = "EService:Unavailable"
        reply = await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        assert "UNPROTECTED" in reply.text
        assert rig.desk.state is TradingState.REDUCING
        assert (await rig.tell("buy 0.01 ETH")).code is Code.NOT_ACTIVE
        _faults(rig).refuse.clear()
        rig.time.pass_s(2)
        rig.hand.price("ZEC/USD", "512")
        await rig.tick()
        await rig.tick()
        assert (await rig.tell("buy 0.01 ETH")).ok


async def test_a_position_that_cannot_be_protected_is_sold_and_the_owner_is_told() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).refuse["stop"] = "EOrder:Insufficient funds"
        reply = await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        for _ in range(9):
            rig.time.pass_s(10)
            rig.hand.price("ZEC/USD", "512")
            await rig.tick()
        bracket = rig.desk.ledger.bracket(reply.data["bracket"])
        assert bracket is not None
        assert (bracket.state, bracket.close_reason) == (BracketState.CLOSED, ExitReason.UNPROTECTED)
        texts = [alert.text for alert in rig.store.waiting_alerts()]
        assert any("The venue refused the stop" in text for text in texts)
        assert any("had no stop for" in text for text in texts)


async def test_a_restart_between_saving_and_sending_repeats_no_entry() -> None:
    async with open_rig(WIRING) as rig:
        _faults(rig).lose_request.add("entry")
        await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
        rig.time.pass_s(60)
        again = await rig.reopen()
        assert again.desk.ready
        rig.time.pass_s(5)
        await again.tick()
        assert _faults(again).performed == []
        assert again.desk.ledger.unfinished() == ()


async def test_a_restart_finds_what_filled_meanwhile_and_covers_it() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 SOL limit 130 sl 1% tp 2%")
        rig.hand.trade("SOL/USD", "129")
        await rig.exchange.advance()
        again = await rig.reopen()
        bracket = again.desk.ledger.unfinished()[0]
        assert bracket.bought > 0
        assert [order.state for order in bracket.of_role(Role.STOP)] == [OrderState.OPEN]


async def test_several_brackets_on_one_coin_keep_their_own_stops() -> None:
    async with open_rig() as rig:
        for text in ("buy 0.1 ZEC sl 1% tp 2%", "buy 0.2 ZEC sl 2% tp 4%", "buy 0.3 ZEC sl 3% tp 6%"):
            assert (await rig.tell(text)).ok
        rig.hand.trade("ZEC/USD", "506")
        await rig.tick()
        left = rig.desk.ledger.unfinished()
        assert [str(bracket.held) for bracket in left] == ["0.20000000", "0.30000000"]
        assert sum(order.quantity for order in await rig.exchange.fetch_open_orders()) == sum(b.held for b in left)
