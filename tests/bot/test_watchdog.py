"""The watchdog: what it sees, what it lets each desk do, what it tells, and whom it pings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
import respx
from loguru import logger
from pydantic import SecretStr

from bot import watchdog
from bot.background import Background
from bot.watchdog import MEASURE_EVERY, PING_EVERY_S, STREAM_DOWN_AFTER, Watchdog, Watched
from core.domain.modes import Mode, TradingState
from core.domain.venue import EVERYTHING, Reach, Snapshot
from core.exchange.budget import RestBudget, Tier
from core.exchange.kraken_private import AccountOptions, KrakenExchangeWrapper
from core.exchange.kraken_wire import AccountWire, CallFailedError
from core.exchange.port import Readiness
from core.trading.desk import Desk
from tests.rig import HandMarket, Rig, SettableClock, Wiring, hand_market, open_rig

URL = "https://dead.example/secret-ping-path"
ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED


class _NoWire:
    def __init__(self) -> None:
        self.budget = RestBudget(Tier.STARTER)

    async def close(self) -> None:
        """Nothing is open."""


class Account(KrakenExchangeWrapper):
    """A Kraken account that is empty and answers at once; `pulse` is what a test makes of it."""

    measured = 0
    is_down = False

    async def readiness(self) -> Readiness:
        return Readiness()

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        return Snapshot(self._clock(), self._clock(), complete=True)

    async def measure(self) -> None:
        self.measured += 1
        if self.is_down:
            raise CallFailedError("Kraken did not answer in time: Time.")


@dataclass
class Post:
    """A watchdog over a PAPER desk and a LIVE one; `steady` are the seconds of its steady clock."""

    rig: Rig
    account: Account
    live: Desk
    steady: float = 0.0
    stream: bool = True
    dog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        watched = Watched(5.0, SecretStr(URL), lambda: self.stream)
        self.dog = Watchdog(self.rig.service, watched, self.rig.time, lambda: self.steady)

    def pass_s(self, seconds: float) -> None:
        """Both clocks go on."""
        self.steady += seconds
        self.rig.time.pass_s(seconds)

    async def look(self) -> tuple[TradingState, TradingState]:
        """What PAPER and LIVE may do after a look."""
        self.dog.look()
        await asyncio.sleep(0)
        return self.rig.desk.health.state, self.live.health.state

    def told(self) -> list[tuple[str, str]]:
        """Mode and text of what was told of states since the last time."""
        alerts = self.rig.store.waiting_alerts(200)
        self.rig.store.mark_alerts([one.id for one in alerts], "delivered")
        return [(one.mode, one.text) for one in alerts if one.kind == "state_changed"]


@asynccontextmanager
async def _post() -> AsyncIterator[Post]:
    clock = SettableClock()
    market: HandMarket = hand_market(clock)
    account = Account(cast("AccountWire", _NoWire()), market, clock, AccountOptions())
    async with open_rig(Wiring(market=market, clock=clock, live=account)) as rig:
        yield Post(rig, account, rig.service.desk(Mode.LIVE))


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with _post() as made:
        yield made


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(str(message)), level="TRACE")
    yield lines
    logger.remove(handler)


# -- what it sees ------------------------------------------------------------------------------------------------


async def test_a_venue_that_does_not_answer_reduces_live_alone_is_told_once_and_heals_by_itself(post: Post) -> None:
    assert await post.look() == (ACTIVE, ACTIVE)
    post.account.pulse.failing_since = post.rig.time()
    post.pass_s(19)
    assert await post.look() == (ACTIVE, ACTIVE)
    for _ in range(5):
        post.pass_s(1)
        assert await post.look() == (ACTIVE, REDUCING)
    [(mode, text)] = post.told()
    assert (mode, "the exchange has not answered as it should since 12:00:00 UTC" in text) == ("LIVE", True)
    post.account.pulse.failing_since = None
    assert await post.look() == (ACTIVE, ACTIVE)
    assert post.told() == [("LIVE", "The LIVE desk is active again and takes entries.")]
    await post.look()
    assert post.told() == []


@pytest.mark.parametrize(
    ("status", "state"), [("maintenance", HALTED), ("cancel_only", HALTED), ("post_only", REDUCING), ("online", ACTIVE)]
)
async def test_krakens_own_state_is_what_live_may_do_and_paper_goes_on(
    post: Post, status: str, state: TradingState
) -> None:
    post.account.pulse.status = status
    assert await post.look() == (ACTIVE, state)
    assert [mode for mode, _ in post.told()] == (["LIVE"] if state is not ACTIVE else [])


async def test_three_refused_nonces_within_a_minute_or_two_are_another_program_with_our_key(post: Post) -> None:
    post.account.pulse.nonces_refused_at.extend([post.rig.time()] * 2)
    assert await post.look() == (ACTIVE, ACTIVE)
    post.pass_s(10)
    post.account.pulse.nonces_refused_at.append(post.rig.time())
    states = []
    for _ in range(4):
        states.append(await post.look())
        post.pass_s(40)
        await post.rig.service.tick_all()
    assert states == [(ACTIVE, REDUCING)] * 3 + [(ACTIVE, ACTIVE)]
    assert len(post.told()) == 2


async def test_a_clock_that_is_off_krakens_reduces_live_alone(post: Post) -> None:
    post.account.pulse.skew = timedelta(seconds=-6)
    assert await post.look() == (ACTIVE, REDUCING)
    assert "ahead of the exchange's" in post.live.health.text


async def test_a_tick_that_is_overdue_reduces_its_own_desk_until_one_is_finished(post: Post) -> None:
    await post.look()
    post.pass_s(46)
    await post.rig.service.tick(post.rig.desk)
    assert await post.look() == (ACTIVE, REDUCING)
    await post.rig.service.tick(post.live)
    assert await post.look() == (ACTIVE, ACTIVE)


async def test_prices_that_grow_old_reduce_a_desk_that_holds_something(post: Post) -> None:
    await post.rig.tell("buy 1 ZEC sl 2% tp 3%")
    await post.rig.service.tick_all()
    assert await post.look() == (ACTIVE, ACTIVE)
    post.rig.hand.down = True
    post.pass_s(31)
    await post.rig.service.tick_all()
    assert await post.look() == (REDUCING, ACTIVE)
    assert post.rig.desk.health.text == "the prices are older than 30 s"
    post.rig.hand.down = False
    post.rig.hand.price("ZEC/USD", "512.00")
    await post.rig.service.tick_all()
    assert await post.look() == (ACTIVE, ACTIVE)


async def test_a_desk_whose_books_were_never_compared_is_judged_and_nothing_is_told_of_it_yet(post: Post) -> None:
    post.live.ready = False
    post.live.compared.clear()
    post.account.pulse.status = "maintenance"
    post.stream = False
    assert await post.look() == (ACTIVE, HALTED)
    post.pass_s(40)
    post.dog._watch_stream()
    assert post.told() == []


async def test_clocks_are_compared_every_two_minutes_and_soon_where_something_is_wrong(post: Post) -> None:
    post.account.pulse.status = "online"
    for _ in range(3):
        await post.look()
        post.pass_s(30)
    assert post.account.measured == 1
    post.pass_s(MEASURE_EVERY.total_seconds() - 90)
    await post.look()
    assert post.account.measured == 2
    post.account.pulse.failing_since = post.rig.time()
    post.account.is_down = True
    for _ in range(4):
        post.pass_s(15)
        await post.look()
    await asyncio.sleep(0)
    assert post.account.measured == 6


async def test_a_silent_stream_is_told_once_and_that_it_is_back_once(post: Post) -> None:
    post.stream = False
    for _ in range(int(STREAM_DOWN_AFTER.total_seconds()) + 10):
        await post.look()
        post.pass_s(1)
        await post.rig.service.tick_all()
    assert post.told() == [("LIVE", "Kraken's stream of executions is silent; Zyn asks every 5 s instead.")]
    post.stream = True
    for _ in range(3):
        await post.look()
    assert post.told() == [("LIVE", "Kraken's stream of executions is back.")]
    assert post.live.health.state is ACTIVE


async def test_a_stream_that_is_gone_for_a_moment_is_not_worth_a_word(post: Post) -> None:
    for alive in (False, True, False, True):
        post.stream = alive
        await post.look()
        post.pass_s(20)
        await post.rig.service.tick_all()
    assert post.told() == []


# -- as it runs --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _running(post: Post, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The watchdog at work, looking without a pause; only the test moves its clocks."""
    monkeypatch.setattr(watchdog, "EVERY_S", 0.0)
    task = asyncio.create_task(post.dog.run())
    await _some_looks()
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def _some_looks() -> None:
    for _ in range(60):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)


@pytest.fixture
def pings() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get(URL).mock(return_value=httpx.Response(200))


async def test_a_process_that_stood_still_reduces_both_desks_for_a_minute(
    post: Post, pings: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _running(post, monkeypatch):
        post.pass_s(9)
        await _some_looks()
        assert [desk.health.text for desk in post.rig.service.desks] == ["Zyn stood still for 9 s"] * 2
        assert post.rig.desk.state is REDUCING
        for _ in range(13):
            post.pass_s(4.9)
            await post.rig.service.tick_all()
            await _some_looks()
        assert [desk.health.state for desk in post.rig.service.desks] == [ACTIVE, ACTIVE]
    assert [text for mode, text in post.told() if mode == "PAPER"] == [
        "The PAPER desk is reducing, no new entries: Zyn stood still for 9 s. What is open stays protected.",
        "The PAPER desk is active again and takes entries.",
    ]


async def test_a_clock_that_jumped_is_told_by_how_much(
    post: Post, pings: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _running(post, monkeypatch):
        post.rig.time.pass_s(-3600)
        await _some_looks()
        assert "this machine's clock jumped by -3600 s" in post.rig.desk.health.because


async def test_the_dead_mans_url_is_asked_once_a_minute_while_all_is_well_and_not_otherwise(
    post: Post, pings: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def minutes(count: int) -> int:
        before = pings.call_count
        for _ in range(count * 15):
            post.pass_s(4)
            await post.rig.service.tick_all()
            await _some_looks()
        return pings.call_count - before

    assert PING_EVERY_S == 60
    async with _running(post, monkeypatch):
        assert pings.call_count == 1
        assert await minutes(2) == 2
        post.account.pulse.status = "post_only"
        assert await minutes(1) == 0
        post.account.pulse.status = "online"
        post.live.ready = False
        await _some_looks()
        before = pings.call_count
        post.pass_s(4)
        await _some_looks()
        assert pings.call_count == before


async def test_the_dead_mans_url_is_never_logged_even_when_it_fails(
    post: Post, log: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    with respx.mock() as router:
        router.get(URL).mock(side_effect=httpx.ConnectError(f"cannot reach {URL}"))
        async with _running(post, monkeypatch):
            pass
    text = "".join(log) + caplog.text
    assert "the dead-man URL could not be asked: ConnectError" in text
    assert "dead.example" not in text
    assert "secret-ping-path" not in text
    assert "secret-ping-path" not in repr(Watched(5.0, SecretStr(URL)))


async def test_a_look_that_fails_is_logged_and_the_next_one_comes(
    post: Post, pings: respx.Route, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise CallFailedError("nobody can say")

    monkeypatch.setattr(post.dog, "_watch_stream", broken)
    async with _running(post, monkeypatch):
        assert pings.call_count == 0
        monkeypatch.undo()
        monkeypatch.setattr(watchdog, "EVERY_S", 0.0)
        await _some_looks()
        assert pings.call_count == 1
    assert any("the watchdog could not look" in line for line in log)


async def test_a_job_that_hangs_does_not_silence_the_watchdog(
    post: Post, pings: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = asyncio.Event()

    async def hang(*_: object, **__: object) -> Snapshot:
        await hung.wait()
        raise AssertionError

    monkeypatch.setattr(post.account, "snapshot", hang)
    background = Background()

    async def tick_for_ever() -> None:
        await post.rig.service.tick(post.live)

    background.start("the tick", tick_for_ever)
    async with _running(post, monkeypatch):
        for _ in range(12):
            post.pass_s(4)
            await post.rig.service.tick(post.rig.desk)
            await _some_looks()
        assert "the tick is overdue" in post.live.health.text
        assert post.rig.desk.health.state is ACTIVE
    await background.stop()
