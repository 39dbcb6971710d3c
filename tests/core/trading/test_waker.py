"""Waking the tick: bursts become one look, news is looked for until it is seen, and nothing else costs a look."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from core.domain.modes import Mode
from core.domain.orders import Order, Role
from core.domain.venue import OrderNews
from core.trading.tick import TickReport
from core.trading.waker import AGAIN_S, Waker
from tests.core.exchange.account_rig import bench
from tests.rig import Rig, Wiring, open_rig

D = Decimal


@dataclass
class Watched:
    """A waker at work at a paper desk; `looks` are the coins of each tick, `slept` the waits before another look."""

    rig: Rig
    looks: list[tuple[str | None, bool]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    breaks: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    waker: Waker = field(init=False)

    def __post_init__(self) -> None:
        self.hold.set()
        self.waker = Waker(self.rig.desk, self.sleep)
        tick = self.rig.service.tick

        async def spy(desk: Any, base: str | None = None, *, urgent: bool = False) -> TickReport:
            self.looks.append((base, urgent))
            await self.hold.wait()
            if self.breaks:
                self.breaks -= 1
                raise RuntimeError("the sky fell")
            return await tick(desk, base, urgent=urgent)

        self.rig.service.tick = spy  # type: ignore[method-assign]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def buy(self) -> Order:
        """A position; its resting stop."""
        await self.rig.tell("buy 1 ZEC sl 2% tp 3%")
        self.looks.clear()
        return self.rig.desk.ledger.unfinished()[0].of_role(Role.STOP)[0]


@pytest.fixture
async def on() -> AsyncIterator[Watched]:
    async with open_rig() as rig:
        made = Watched(rig)
        task = asyncio.create_task(made.waker.run())
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settled() -> None:
    for _ in range(80):
        await asyncio.sleep(0)


def news(venue_id: str | None = "OSTRANGE", *, filled: str = "0", over: bool = False, symbol: str | None = None) -> Any:
    return [OrderNews(venue_id or "", symbol, D(filled), over)]


async def test_a_burst_of_news_is_one_look_at_its_coin_and_an_urgent_one(on: Watched) -> None:
    stop = await on.buy()
    for number in range(1, 30):
        on.waker.wake(news(stop.venue_id, filled=str(D(number) / 100), symbol="ZEC/USD"))
    on.hold.clear()
    await settled()
    assert on.looks == [("ZEC", True)]
    for number in range(30, 60):
        on.waker.wake(news(stop.venue_id, filled=str(D(number) / 100), symbol="ZEC/USD"))
    await settled()
    assert on.looks == [("ZEC", True)], "ticks run one at a time"
    on.hold.set()
    await settled()
    assert set(on.looks) == {("ZEC", True)}


async def test_news_that_the_ledger_has_already_costs_no_look(on: Watched) -> None:
    stop = await on.buy()
    entry = on.rig.desk.ledger.unfinished()[0].entry
    assert entry is not None
    on.waker.wake(news(entry.venue_id, filled="1", over=True, symbol="ZEC/USD"))
    on.waker.wake(news(stop.venue_id, filled="0", symbol="ZEC/USD"))
    await settled()
    assert on.looks == []


async def test_news_of_an_order_without_its_symbol_looks_at_everything_and_of_two_coins_at_both(on: Watched) -> None:
    on.waker.wake([*news("O1", symbol="ZEC/USD"), *news("O2", symbol="ETH/USD")])
    await settled()
    assert on.looks == [("ETH", True), ("ZEC", True)]
    on.looks.clear()
    on.waker.wake([*news("O1", symbol="ZEC/USD"), *news("O2")])
    await settled()
    assert on.looks == [(None, False)]


async def test_after_a_gap_everything_is_looked_at_without_hurry(on: Watched) -> None:
    on.waker.wake(())
    await settled()
    assert on.looks == [(None, False)]


async def test_news_that_a_look_did_not_find_is_looked_for_again_and_then_left_to_the_polling(on: Watched) -> None:
    stop = await on.buy()
    on.waker.wake(news(stop.venue_id, filled="0.5", symbol="ZEC/USD"))
    await settled()
    assert on.slept == list(AGAIN_S)
    assert on.looks == [("ZEC", True)] * (1 + len(AGAIN_S))


async def test_a_look_that_found_it_is_the_last_one(on: Watched) -> None:
    stop = await on.buy()
    on.waker.wake(news(stop.venue_id, filled="1", over=True, symbol="ZEC/USD"))
    on.rig.hand.trade("ZEC/USD", "500.00")
    await settled()
    assert on.rig.desk.ledger.unfinished() == ()
    assert (on.looks, on.slept) == ([("ZEC", True)], [])


async def test_a_strangers_order_is_looked_at_once_and_not_again(on: Watched) -> None:
    await on.buy()
    on.waker.wake(news("OSTRANGE", filled="1", over=True, symbol="ZEC/USD"))
    await settled()
    assert (on.looks, on.slept) == ([("ZEC", True)], [])


async def test_who_is_at_work_at_the_desk_is_not_disturbed(on: Watched) -> None:
    with on.rig.desk.at_work():
        on.waker.wake(())
        await settled()
        assert on.looks == []
    await settled()
    assert on.looks == [(None, False)]


async def test_a_desk_whose_books_were_never_compared_is_left_alone(on: Watched) -> None:
    on.rig.desk.compared.clear()
    on.waker.wake(())
    await settled()
    assert on.looks == []


async def test_a_look_that_breaks_is_not_the_last_one(on: Watched) -> None:
    on.breaks = 1
    on.waker.wake(())
    await settled()
    on.waker.wake(())
    await settled()
    assert len(on.looks) == 2


async def test_a_price_that_reaches_a_held_target_wakes_and_one_below_it_does_not(on: Watched) -> None:
    await on.buy()
    for last, wakes in (("520.00", False), ("527.36", True)):
        quote = on.rig.hand.price("ZEC/USD", last)
        on.waker.look_at([quote])
        await settled()
        assert bool(on.looks) is wakes
    assert [base for base, _ in on.looks] == ["ZEC"]
    assert on.rig.desk.ledger.unfinished() == ()
    on.looks.clear()
    on.waker.look_at([on.rig.hand.price("ZEC/USD", "600.00")])
    await settled()
    assert on.looks == []


async def test_looks_at_one_coin_do_not_put_off_the_look_at_all_of_them() -> None:
    async with (
        bench() as kraken,
        open_rig(Wiring(live=kraken.exchange, market=kraken.market, clock=kraken.time)) as rig,
    ):
        live = rig.service.desk(Mode.LIVE)
        kraken.exchange.stream_is_alive = lambda: True
        for _ in range(6):
            kraken.time.pass_s(10)
            await rig.service.tick(live, "ZEC")
        assert kraken.exchange.is_look_due(live.last_tick_at), "nothing else was looked at for a minute"
