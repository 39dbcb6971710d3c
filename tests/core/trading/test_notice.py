"""What the owner is told beyond single events: state, stop, restart, day."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import OperationalError

from core.domain.events import EventKind
from core.domain.modes import Mode
from core.domain.orders import OrderState, Role
from core.exchange.port import Exchange
from core.lifecycle import news
from core.trading import notice
from tests.core.trading.faults import FaultyExchange
from tests.rig import Rig, Wiring, open_rig


def told(rig: Rig, *kinds: EventKind) -> list[str]:
    return [alert.text for alert in rig.store.waiting_alerts() if alert.kind in kinds]


async def test_a_limit_entry_that_fills_is_told_and_then_that_it_is_protected_with_its_orders() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC limit 500 sl 1% tp 2%")
        rig.hand.trade("ZEC/USD", "499")
        await rig.tick()
        assert told(rig, EventKind.ENTRY_FILLED) == ["Bought 0.1 ZEC at 500 USD. Order PX-000001, fee 0.12 USD."]
        assert told(rig, EventKind.PROTECTED) == [
            "ZEC/USD protected: stop 495 rests on 0.1 of 0.1, order PX-000002; target 510."
        ]


async def test_a_market_buy_is_told_by_its_reply_alone() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        assert rig.store.waiting_alerts() == []


async def test_a_desk_that_begins_to_reduce_is_told_once_and_so_is_its_recovery() -> None:
    def refuse(exchange: Exchange) -> Exchange:
        return FaultyExchange(exchange, refuse={"stop": "EGeneral:Internal error"})

    async with open_rig(Wiring(wrap=refuse)) as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        for _ in range(3):
            rig.time.pass_s(1)
            await rig.tick()
        [reducing] = told(rig, EventKind.STATE_CHANGED)
        assert reducing.startswith("The PAPER desk is reducing, no new entries: the stop of ZEC/USD is missing")
        assert isinstance(rig.exchange, FaultyExchange)
        rig.exchange.refuse.clear()
        for _ in range(8):
            rig.time.pass_s(4)
            rig.hand.price("ZEC/USD", "512")
            await rig.tick()
        assert told(rig, EventKind.STATE_CHANGED)[1:] == ["The PAPER desk is active again and takes entries."]


async def test_after_a_restart_it_is_told_what_was_open_and_what_has_become_of_it() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        await rig.tell("buy 0.01 ETH sl 1% tp 2%")
        await rig.tell("buy 0.01 ETH limit 100 sl 1% tp 2%")
        rig.hand.trade("ZEC/USD", "505")
        again = await rig.reopen()
        [text] = told(again, EventKind.RESTARTED)
        lines = text.splitlines()
        assert lines[0] == "Zyn is back. PAPER: 3 open when it stopped, 2 open now."
        assert lines[1].startswith("• ZEC/USD closed: stop hit. Result -")
        assert lines[2] == "• ETH/USD 0.01 held: stop 3019.5 rests on 0.01 of 0.01, order PX-000004, target 3111."
        assert lines[3] == "• ETH/USD: the entry for 0.01 still waits."


async def test_the_goodbye_names_every_order_that_rests_and_every_one_that_sleeps() -> None:
    async with open_rig() as rig:
        rig.service.tell_stop()
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        rig.service.tell_stop()
        nothing, something = told(rig, EventKind.STOPPED)
        assert nothing == "Zyn stops, 2026-11-20 12:00 UTC. PAPER: nothing is open."
        where = "Resting at PaperExchangeWrapper, which stands still too and catches up later"
        assert something.splitlines() == [
            "Zyn stops, 2026-11-20 12:00 UTC. PAPER: 1 open.",
            f"{where}: stop 0.1 ZEC/USD at 506.88 (PX-000002).",
            "Asleep until Zyn is back: target 0.1 ZEC/USD at 522.24 (zy00000001-3).",
        ]


async def test_a_day_is_summed_up_once_after_it_is_over() -> None:
    async with open_rig() as rig:
        rig.service.summarise()
        assert told(rig, EventKind.SUMMARY) == [], "nothing has happened yet"
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        await rig.tell("buy 0.01 ETH sl 1% tp 2%")
        await rig.tell("buy 0.02 ETH sl 1% tp 2%")
        rig.hand.trade("ZEC/USD", "505")
        await rig.tick()
        rig.hand.trade("ETH/USD", "3120")
        await rig.tick()
        await rig.tell("buy 0.1 ZEC sl 9% tp 9%")
        rig.service.summarise()
        assert told(rig, EventKind.SUMMARY) == [], "the day is not over"
        rig.time.now = rig.time.now.replace(hour=0, minute=0) + timedelta(days=1, seconds=5)
        rig.service.summarise()
        rig.service.summarise()
        [text] = told(rig, EventKind.SUMMARY)
        lines = text.splitlines()
        assert lines[0] == "Summary of 2026-11-20 (UTC): 3 trade(s) closed, 2 won, 1 not."
        assert lines[1].startswith("Result +")
        assert lines[1].endswith("USD in it.")
        assert lines[2].startswith("Best ETH/USD +")
        assert "worst ZEC/USD -" in lines[2]
        assert lines[3] == "Open now: 1 position(s), 0 waiting entries."
        again = await rig.reopen()
        again.service.summarise()
        assert len(told(again, EventKind.SUMMARY)) == 1, "a restart does not repeat it"


async def test_a_stop_that_covers_a_part_is_not_said_to_rest_on_all_of_it() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 1% tp 2%")
        [bracket] = rig.desk.ledger.unfinished()
        stop = bracket.of_role(Role.STOP)[0]
        half = replace(stop, quantity=Decimal("0.4"), trigger_price=Decimal(480))
        orders = tuple(half if order is stop else order for order in bracket.orders)
        shown = replace(bracket, orders=orders)
        for text in (news.protected(shown), notice.restarted(Mode.PAPER, [shown])):
            assert "stop 480 rests on 0.4 of 1, order PX-000002" in text
            assert "506.88" not in text, "the wish is not where the stop rests"


async def test_after_a_restart_an_entry_of_which_nobody_knows_is_not_said_to_wait() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC limit 500 sl 1% tp 2%")
        [bracket] = rig.desk.ledger.unfinished()
        unknown = replace(bracket, orders=(replace(bracket.orders[0], state=OrderState.SUBMITTING),))
        assert "still waits" in notice.restarted(Mode.PAPER, [bracket])
        text = notice.restarted(Mode.PAPER, [unknown])
        assert "waits" not in text
        assert "sent, unanswered" in text
        assert "Sent, unanswered: entry 1 ZEC/USD" in notice.stopped(Mode.PAPER, "X", [unknown], rig.time())


async def test_a_position_without_its_stop_is_told_though_the_venue_cannot_be_read() -> None:
    def lose(exchange: Exchange) -> Exchange:
        return FaultyExchange(exchange, lose_request={"stop"})

    async with open_rig(Wiring(wrap=lose)) as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        assert isinstance(rig.exchange, FaultyExchange)
        rig.exchange.unreadable = True
        rig.time.pass_s(20)
        await rig.tick()
        [reducing] = told(rig, EventKind.STATE_CHANGED)
        assert reducing.startswith("The PAPER desk is reducing")


async def test_a_change_of_state_that_could_not_be_written_is_told_by_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose(exchange: Exchange) -> Exchange:
        return FaultyExchange(exchange, lose_request={"stop"})

    async with open_rig(Wiring(wrap=lose)) as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        assert isinstance(rig.exchange, FaultyExchange)
        rig.exchange.unreadable = True
        rig.time.pass_s(20)

        def full(*_: object) -> None:
            raise OperationalError("insert", {}, Exception("disk is full"))

        monkeypatch.setattr(rig.desk.ledger, "save", full)
        with pytest.raises(OperationalError):
            await rig.tick()
        monkeypatch.undo()
        await rig.tick()
        assert len(told(rig, EventKind.STATE_CHANGED)) == 1
