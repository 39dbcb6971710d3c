"""kill -9 of a bot that trades LIVE, at random moments: nothing doubled, oversold, lost or left without a stop."""

import asyncio
import contextlib
import os
import secrets
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.e2e.kit import Bot, Home
from tests.e2e.live_books import read_live_books
from tests.e2e.live_kit import (
    HOLDS,
    WORLDS,
    BareWatch,
    LiveMemory,
    LiveOwner,
    LiveWorld,
    Mover,
    live_environment,
    rich_kraken,
)
from tests.standins import kraken_faults
from tests.standins.kraken import KrakenStandIn
from tests.standins.kraken_private import Request

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

KILLS = int(os.environ.get("ZYN_KILLS", "10"))
SEED = int(os.environ.get("ZYN_SEED") or secrets.randbelow(10**9))
SHARES = [(*world, KILLS // 4 + (place < KILLS % 4)) for place, world in enumerate(WORLDS)]
BOUGHT_WITHIN_S = 10.0
"""Nothing else is asked of it then: what takes longer waits for something that it should not wait for."""
ORDERS = frozenset({"AddOrder", "AmendOrder", "CancelOrder"})


@dataclass
class Lives:
    """One bot in one world, killed and started again."""

    world: LiveWorld
    owner: LiveOwner
    mover: Mover
    watch: BareWatch
    random: Random
    recoveries_s: list[float] = field(default_factory=list)

    async def born(self) -> Bot:
        """Start it, with the stop carried by the entry or sent after it, and wait until all is well.

        Now and then at once, while Kraken still counts the calls of the life before; else as if minutes had passed.
        """
        if self.random.random() < 0.8:
            self.world.kraken.private.counter.value = 0
        began = time.monotonic()
        self.watch.turn(up=True)
        bot = await self.world.home.bot(ENTRY_STOP=self.random.choice(("attached", "after")))
        await self.world.ready(bot)
        await self.world.settled()
        self.recoveries_s.append(time.monotonic() - began)
        await self._resume(bot)
        return bot

    async def _resume(self, bot: Bot) -> None:
        """An incident that was told halts entries until the owner has seen it."""
        if any(row["cleared_at"] is None for row in read_live_books(self.world.home.database).incidents):
            await bot.ask("risk resume")

    async def _trades(self, bot: Bot) -> None:
        """Whatever it went through, an order is still done, and soon: lives that trade nothing prove nothing."""
        self.world.kraken.private.counter.value = 0
        began = time.monotonic()
        told = await bot.ask("buy $20 of ZEC/USD sl 2% tp 3%")
        assert told["ok"], told["text"]
        assert time.monotonic() - began < BOUGHT_WITHIN_S
        self.world.memory.hear(told)
        await self.world.settled()

    async def killed(self, bot: Bot) -> None:
        """Talk to it until it is killed; the market goes on without it for a while."""
        async with self.mover.moving():
            await self.owner.talk_until(bot, self._moment())
            self.watch.turn(up=False)
            await asyncio.sleep(self.random.choice((0.0, 0.0, 0.5)))
            if self.random.random() < 0.2:
                await self._die_while_starting()

    async def _moment(self) -> None:
        """Some time, or right around an order, an amend or a cancel: on its way, at work, or on its way back."""
        if self.random.random() < 0.4:
            await asyncio.sleep(self.random.choice((0.3, 1.0, 3.0)) * self.random.random())
            return
        left, came = self.random.randint(1, 15), asyncio.Event()

        def on_request(request: Request) -> None:
            nonlocal left
            left -= request.endpoint in ORDERS
            if left <= 0:
                came.set()

        self.world.kraken.private.on_request = on_request
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(came.wait(), 4.0)
        self.world.kraken.private.on_request = None
        await asyncio.sleep(self.random.choice((0.0, 0.002, 0.01, 0.03)))

    async def _die_while_starting(self) -> None:
        process = await self.world.home.process("run")
        await asyncio.sleep(0.6 + self.random.random() * 1.5)
        await process.kill()

    async def run(self, kills: int) -> None:
        """So many lives, and one that ends in peace."""
        for number in range(kills):
            bot = await self.born()
            await self.owner.look(bot)
            await self.killed(bot)
            print(f"kill {number + 1}: {self.world.memory.asked} asked, {self.world.memory.answered} answered")
        bot = await self.born()
        await self._trades(bot)
        await self.world.open_is_true(bot)
        assert await bot.stop() == 0
        assert self.world.wrong() == []
        assert "Traceback" not in bot.log.text
        self.tell()

    def tell(self) -> None:
        """The figures of all lives."""
        memory, kraken = self.world.memory, self.world.kraken
        live = read_live_books(self.world.home.database)
        states, longest = dict(Counter(row["state"] for row in live.books.orders)), self.watch.longest
        print(
            f"{memory.asked} commands, {memory.answered} answered, refusals {memory.refusals}\n"
            f"{len(live.books.brackets)} brackets, orders {states}, {len(kraken.account.trades)} executions, "
            f"{len(live.incidents)} incidents, {kraken.private.rest_refusals} calls too many\n"
            f"longest without a stop: {longest['up']:.2f} s with Zyn, {longest['down']:.2f} s while it was dead; "
            f"recovered within {max(self.recoveries_s):.1f} s, median {statistics.median(self.recoveries_s):.1f} s"
        )


@pytest.mark.parametrize(("target_mode", "world", "kills"), SHARES)
async def test_a_live_bot_that_is_killed_at_any_moment_loses_doubles_and_bares_nothing(
    home: Home, target_mode: str, world: str, kills: int
) -> None:
    print(f"\nZYN_SEED={SEED} ZYN_KILLS={KILLS} targets {target_mode}, {world}")
    random = Random(f"{SEED} {target_mode} {world}")
    async with rich_kraken(stop_holds=world == HOLDS) as kraken:
        lives = new_lives(home, kraken, target_mode, random)
        kraken.private.fault = on_a_real_line(random)
        async with lives.watch.watching():
            await lives.run(kills)


def new_lives(home: Home, kraken: KrakenStandIn, target_mode: str, random: Random) -> Lives:
    home.environment = live_environment(kraken, TARGET_MODE=target_mode)
    memory = LiveMemory()
    # Beside the coins of its owner an account takes both legs, whatever a resting stop holds.
    may_oversell = target_mode == "resting"
    world = LiveWorld(home, kraken, memory, may_oversell)
    return Lives(world, LiveOwner(random, memory), Mover(kraken.account, random), BareWatch(kraken.account), random)


def on_a_real_line(random: Random) -> kraken_faults.Policy:
    """Some calls and some answers take a while, so that a kill finds them under way."""

    def slow_now_and_then(_endpoint: str, _params: dict[str, str]) -> kraken_faults.PrivateFault | None:
        if random.random() < 0.5:
            return None
        wait_s = 1.0 if random.random() < 0.03 else random.uniform(0, 0.05)
        return kraken_faults.slow(wait_s, after=random.random() < 0.5)

    return slow_now_and_then
