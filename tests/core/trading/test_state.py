"""Telling the owner what a desk allows: once for each change, with the reason, and when it is over."""

from dataclasses import replace

from core.domain.errors import Code
from core.domain.events import Event, EventKind
from core.domain.modes import TradingState
from core.ledger.incidents import Incident
from core.lifecycle.promises import Promise
from core.trading.health import Health, Trouble
from core.trading.state import tell_state
from tests.core.trading.faults import FaultyExchange
from tests.rig import Rig, Wiring, open_rig

POST_ONLY = Health(TradingState.REDUCING, ("the exchange is in post_only mode",), (Trouble.STATUS,))
DOWN = Health(TradingState.HALTED, ("the exchange is in maintenance mode",), (Trouble.STATUS,))


def told(rig: Rig) -> list[str]:
    """What was told of the desk's state since the last time."""
    alerts = rig.store.waiting_alerts(200)
    rig.store.mark_alerts([one.id for one in alerts], "delivered")
    return [one.text for one in alerts if one.kind == "state_changed"]


def look(rig: Rig, health: Health) -> list[str]:
    """What is told when the world is so."""
    rig.desk.health = health
    tell_state(rig.desk)
    return told(rig)


async def test_a_change_is_told_once_with_its_reason_and_once_more_when_it_is_over() -> None:
    async with open_rig() as rig:
        assert look(rig, Health()) == []
        why = "the exchange is in post_only mode"
        told_once = f"The PAPER desk is reducing, no new entries: {why}. What is open stays protected."
        assert look(rig, POST_ONLY) == [told_once]
        assert look(rig, POST_ONLY) == []
        assert look(rig, Health()) == ["The PAPER desk is active again and takes entries."]
        assert look(rig, Health()) == []


async def test_another_reason_is_news_even_where_the_state_is_the_same() -> None:
    async with open_rig() as rig:
        look(rig, POST_ONLY)
        because = (*POST_ONLY.because, "the prices are older than 30 s")
        both = Health(TradingState.REDUCING, because, (Trouble.STATUS, Trouble.PRICES))
        [text] = look(rig, both)
        assert "post_only mode; the prices are older than 30 s" in text
        [text] = look(rig, DOWN)
        assert text.startswith("The PAPER desk is halted, no new entries: the exchange is in maintenance mode.")
        assert look(rig, Health()) == ["The PAPER desk is active again and takes entries."]


async def test_the_same_trouble_in_other_words_is_no_news() -> None:
    async with open_rig() as rig:
        assert len(look(rig, POST_ONLY)) == 1
        assert look(rig, replace(POST_ONLY, because=("the exchange is in limit_only mode",))) == []


async def test_a_desk_that_is_not_ready_is_not_told_as_active() -> None:
    async with open_rig() as rig:
        look(rig, POST_ONLY)
        rig.desk.ready = False
        assert look(rig, Health()) == []
        rig.desk.ready = True
        assert look(rig, Health()) == ["The PAPER desk is active again and takes entries."]


async def test_a_stop_that_is_refused_is_a_reason_with_the_name_of_its_coin() -> None:
    def refusing(exchange: object) -> FaultyExchange:
        return FaultyExchange(exchange, refuse={"stop": "EOrder:Invalid price"})  # type: ignore[arg-type]

    async with open_rig(Wiring(wrap=refusing)) as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        texts = told(rig)
        assert any("reducing, no new entries: the stop of ZEC/USD is missing" in text for text in texts)
        assert look(rig, Health()) == []
        assert isinstance(rig.exchange, FaultyExchange)
        rig.exchange.refuse = {}
        rig.time.pass_s(61)
        rig.hand.price("ZEC/USD", "512.00")
        await rig.tick()
        assert told(rig) == ["The PAPER desk is active again and takes entries."]


async def test_a_broken_promise_is_told_where_it_is_noticed_and_not_a_second_time_here() -> None:
    async with open_rig() as rig:
        incident = Incident(rig.time(), Promise.LEGAL_MOVE, "zy1", "a test", "")
        event = Event(EventKind.STATE_CHANGED, rig.desk.mode, rig.time(), "told at once")
        rig.desk.ledger.incidents.record(incident, event)
        assert told(rig) == ["told at once"]
        assert rig.desk.state is TradingState.HALTED
        assert look(rig, Health()) == []
        assert look(rig, POST_ONLY) == []


async def test_what_could_not_be_written_is_told_again() -> None:
    async with open_rig() as rig:
        save = rig.desk.ledger.save

        def broken(*_: object) -> None:
            raise OSError("the disk is full")

        rig.desk.ledger.save = broken  # type: ignore[method-assign, assignment]
        rig.desk.health = POST_ONLY
        try:
            tell_state(rig.desk)
        except OSError:
            rig.desk.ledger.save = save  # type: ignore[method-assign]
        assert len(look(rig, POST_ONLY)) == 1


async def test_a_desk_that_allows_less_takes_no_entries_and_still_sells() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        rig.desk.health = DOWN
        assert (await rig.tell("buy 1 ZEC sl 2% tp 3%")).code is Code.NOT_ACTIVE
        assert (await rig.tell("protect ZEC sl 1%")).ok
        assert (await rig.tell("close ZEC")).ok


async def test_the_denial_names_the_reason_that_there_is() -> None:
    async with open_rig() as rig:
        rig.desk.health = POST_ONLY
        reply = await rig.tell("buy 1 ZEC sl 2% tp 3%")
        assert "the exchange is in post_only mode" in reply.text


async def test_status_shows_the_state_with_its_reason() -> None:
    async with open_rig() as rig:
        rig.desk.health = POST_ONLY
        assert "reducing (the exchange is in post_only mode)" in (await rig.tell("status")).text
