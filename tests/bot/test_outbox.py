"""Alerts are delivered in order, each at least once."""

from bot.outbox import Outbox, alert_text
from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from tests.rig import Rig, open_rig


def _alert(rig: Rig, *texts: str) -> None:
    rig.desk.ledger.save((), [Event(EventKind.CLOSED, Mode.PAPER, rig.time(), text) for text in texts])


def _hear(heard: list[str], text: str) -> bool:
    heard.append(text)
    return True


async def test_alerts_go_out_in_order_and_only_once() -> None:
    async with open_rig() as rig:
        _alert(rig, "one", "two", "three")
        outbox, heard = Outbox(rig.store), list[str]()
        outbox.listeners.add(lambda alert: _hear(heard, alert_text(alert)))
        assert await outbox.deliver() == 3
        assert await outbox.deliver() == 0
        assert heard == ["[PAPER] one", "[PAPER] two", "[PAPER] three"]


async def test_an_alert_that_nobody_hears_waits_for_the_first_who_listens() -> None:
    async with open_rig() as rig:
        _alert(rig, "one")
        outbox, heard = Outbox(rig.store), list[str]()
        outbox.listeners.add(lambda _alert: False)
        assert await outbox.deliver() == 0
        outbox.listeners.add(lambda alert: _hear(heard, alert.text))
        assert await outbox.deliver() == 1
        assert heard == ["one"]


async def test_an_alert_that_the_sink_cannot_take_waits_and_keeps_its_place() -> None:
    async with open_rig() as rig:
        _alert(rig, "one", "two")
        taken, up = list[str](), [False]

        async def channel() -> int:
            waiting = rig.store.waiting_alerts() if up[0] else []
            taken.extend(alert.text for alert in waiting)
            return waiting[-1].id if waiting else 0

        outbox = Outbox(rig.store)
        outbox.channels.append(channel)
        assert await outbox.deliver() == 0
        assert rig.store.waiting_count() == 2
        up[0] = True
        assert await outbox.deliver() == 2
        assert taken == ["one", "two"]


async def test_a_leg_that_fires_is_told_with_its_result() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        rig.hand.trade("ZEC/USD", "505")
        await rig.tick()
        texts = [alert.text for alert in rig.store.waiting_alerts()]
        assert texts[0].startswith("Stop sold 0.1 ZEC at 504.89")
        assert texts[1].startswith("ZEC/USD closed: stop hit. Result -")
        assert "R)" in texts[1]


async def test_a_target_that_fires_is_told_and_its_own_cancel_of_the_stop_is_not() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        rig.hand.trade("ZEC/USD", "530")
        await rig.tick()
        kinds = [alert.kind for alert in rig.store.waiting_alerts()]
        assert kinds == ["target_filled", "closed"]


async def test_what_a_reply_tells_is_not_repeated_by_an_alert() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        await rig.tell("close ZEC")
        assert rig.store.waiting_count() == 0


async def test_a_channel_that_fails_or_hangs_holds_up_no_other_and_is_tried_again() -> None:
    async with open_rig() as rig:
        _alert(rig, "one")
        outbox, told = Outbox(rig.store), list[str]()

        async def broken() -> int:
            told.append("broken")
            raise RuntimeError("the line is dead")

        async def works() -> int:
            told.append("works")
            return rig.store.waiting_alerts()[-1].id if rig.store.waiting_count() else 0

        outbox.channels += [broken, works]
        for _ in range(3):
            assert await outbox.deliver() == 0
        assert told == ["broken", "works"] * 3
        assert rig.store.waiting_count() == 1, "somebody has not got it yet"
        outbox.close()
