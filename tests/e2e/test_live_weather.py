"""LIVE in bad weather: everything fails at once while the owner trades; then it clears, and all is well again.

ZYN_WEATHER_S says how long it lasts. A long one passes through every world, a short one through one of them.
"""

import asyncio
import itertools
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.e2e.chaos import TALKERS
from tests.e2e.kit import Bot, Home
from tests.e2e.live_books import read_live_books
from tests.e2e.live_kit import (
    ANSWER_S,
    HOLDS,
    WORLDS,
    BareWatch,
    LiveMemory,
    LiveOwner,
    LiveWorld,
    Mover,
    holds,
    live_environment,
    rich_kraken,
)
from tests.e2e.telegram_kit import OWNER, on_telegram
from tests.standins import kraken_faults
from tests.standins.kraken import KrakenStandIn
from tests.standins.kraken_public import Fault
from tests.standins.telegram import Telegram

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

WEATHER_S = float(os.environ.get("ZYN_WEATHER_S", "20"))
SEED = int(os.environ.get("ZYN_SEED") or secrets.randbelow(10**9))
IS_LONG = WEATHER_S >= 60
CLEARS_WITHIN_S = 150.0
STATE_ALERTS = ("The LIVE desk is reducing", "The LIVE desk is active again")
RARE = (kraken_faults.RATE_LIMIT, kraken_faults.INVALID_NONCE)
"""These make the bot wait for long; a short weather has few of them."""
COMMON = tuple(fault for fault in kraken_faults.EVERY_FAULT if fault not in RARE)


class Weather:
    """One front after the other; the random decides how bad each is, and in what way."""

    def __init__(self, kraken: KrakenStandIn, random: Random) -> None:
        self.kraken = kraken
        self.random = random
        self.met: Counter[str] = Counter()
        self._share = 0.0
        self._rare_left = 1_000 if IS_LONG else 2
        kraken.private.fault = self._fault

    def _fault(self, _endpoint: str, _params: dict[str, str]) -> kraken_faults.PrivateFault | None:
        if self.random.random() >= self._share:
            return None
        fault = self._one()
        self.met[str(fault)] += 1
        return fault

    def _one(self) -> kraken_faults.PrivateFault:
        if self.random.random() < 0.3:
            return kraken_faults.slow(self.random.choice((0.05, 0.5, 2.0)), after=self.random.random() < 0.5)
        if self._rare_left > 0 and self.random.random() < 0.05:
            self._rare_left -= 1
            return self.random.choice(RARE)
        return self.random.choice(COMMON)

    async def rage(self, seconds: float) -> None:
        """Fronts of a second or two, for so long; then none."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            await self._front()
        self._clear()

    async def _front(self) -> None:
        account, streams, random = self.kraken.account, self.kraken.streams, self.random
        self._share = random.choice((0.05, 0.2, 0.5, 0.9))
        account.order_lag_s, account.child_lag_s, account.fill_lag_s, account.amend_lag_s = (
            random.choice((0.0, 0.0, 0.3, 1.5)) for _ in range(4)
        )
        self.kraken.public.recover()
        if random.random() < 0.5:
            self.kraken.public.fail(random.choice(list(Fault)), random.choice((1, 3, None)))
        streams.silent, streams.refuse_connections, streams.reject_subscriptions = (
            random.random() < 0.25 for _ in range(3)
        )
        if random.random() < 0.3:
            streams.lose_next = random.randint(1, 3)
        if random.random() < 0.4:
            streams.cut()
        if random.random() < 0.1:
            self.met["outage"] += 1
            await self.kraken.stop()
            await asyncio.sleep(random.random())
            await self.kraken.start()
        await asyncio.sleep(0.5 + 1.5 * random.random())

    def _clear(self) -> None:
        account, streams = self.kraken.account, self.kraken.streams
        self._share = 0.0
        self.kraken.recover()
        account.order_lag_s = account.child_lag_s = account.fill_lag_s = account.amend_lag_s = 0.0
        streams.silent = streams.refuse_connections = streams.reject_subscriptions = False
        streams.lose_next = 0


@dataclass
class Stormy:
    """A bot in the weather, with everything that is known of it."""

    world: LiveWorld
    owner: LiveOwner
    mover: Mover
    watch: BareWatch
    weather: Weather
    bot: Bot
    secrets: list[str] = field(default_factory=list)

    async def weather_it(self) -> None:
        """The owner trades, prices move, everything fails; then nothing does, and within a while all is well."""
        async with self.mover.moving(), self.owner.talking(self.bot, TALKERS if IS_LONG else 1):
            await self.weather.rage(WEATHER_S / (len(WORLDS) if IS_LONG else 1))
        await self.heal()

    async def heal(self) -> None:
        """Wait until the desk is active and nothing is wrong."""
        began = time.monotonic()
        async with asyncio.timeout(CLEARS_WITHIN_S):
            while "LIVE desk: active, Kraken" not in (await self.bot.ask("status", ANSWER_S))["text"]:
                if "halted" in (await self.bot.ask("status", ANSWER_S))["text"]:
                    await self._resume()
                await asyncio.sleep(0.2)
        await self.world.settled()
        print(f"healed {time.monotonic() - began:.1f} s after the weather")

    async def _resume(self) -> None:
        """A bracket that sold too much, where that can happen, halts the desk until the owner says so."""
        live = read_live_books(self.world.home.database)
        assert self.world.may_oversell, [(row["promise"], row["detail"]) for row in live.incidents]
        await self.bot.ask("risk resume", ANSWER_S)

    def told_states(self) -> list[str]:
        """The alerts that tell that the desk takes less or more, oldest first."""
        texts = read_live_books(self.world.home.database).books.alert_texts()
        return [text for text in texts if text.startswith(STATE_ALERTS)]

    async def a_stop_that_is_refused(self) -> None:
        """The desk is reducing while a stop is refused and active again when it rests, and says each once."""
        before = len(self.told_states())
        refuses = {"now": True}

        def refuse_stops(_: str, params: dict[str, str]) -> kraken_faults.PrivateFault | None:
            is_stop = params.get("ordertype") == "stop-loss"
            return kraken_faults.error("EOrder:Orders limit exceeded") if is_stop and refuses["now"] else None

        self.world.kraken.private.fault = refuse_stops
        self.world.memory.hear(await self.bot.ask("buy $200 of SOL/USD sl 5% tp 9%", ANSWER_S))
        await holds(lambda: [] if len(self.told_states()) > before else ["nothing told"], 30.0)
        refuses["now"] = False
        await self.heal()
        told = self.told_states()[before:]
        assert [text.startswith(STATE_ALERTS[1]) for text in told] == [False, True], told

    def leaks(self) -> list[str]:
        """Where a secret can be read: in any file of this home, in the log, in what was said or sent."""
        written = {str(file): file.read_bytes() for file in self.world.home.path.rglob("*") if file.is_file()}
        written["the log"] = self.bot.log.text.encode()
        written["its output"] = self.bot.out.text.encode()
        written["the answers"] = "\n".join(self.world.memory.texts).encode()
        hidden = [*self.secrets, *self.world.kraken.private.tokens]
        return [
            f"{one[:6]}… stands in {place}" for one in hidden for place, said in written.items() if one.encode() in said
        ]


@pytest.mark.parametrize("number", range(len(WORLDS) if IS_LONG else 1))
async def test_after_bad_weather_everything_is_as_it_was_told(home: Home, telegram: Telegram, number: int) -> None:
    target_mode, which = WORLDS[(SEED + number) % len(WORLDS)]
    print(f"\nZYN_SEED={SEED} ZYN_WEATHER_S={WEATHER_S:g} targets {target_mode}, {which}")
    async with rich_kraken(stop_holds=which == HOLDS) as kraken:
        kraken.public.slow_s = 2.0
        async with stormy(home, kraken, telegram, target_mode) as bad:
            await bad.weather_it()
            await bad.a_stop_that_is_refused()
            await bad.world.open_is_true(bad.bot)
            states = bad.told_states()
            assert all(one != other for one, other in itertools.pairwise(states)), states
            assert await bad.bot.stop() == 0
            assert bad.world.wrong() == []
            assert bad.leaks() == []
            assert "Traceback" not in bad.bot.log.text
            tell(bad)


@asynccontextmanager
async def stormy(home: Home, kraken: KrakenStandIn, telegram: Telegram, target_mode: str) -> AsyncIterator[Stormy]:
    random, memory = Random(f"{SEED} {target_mode}"), LiveMemory()
    dead_man = f"{kraken.url}/ping/0b5c1f9e-nobody-knows-this"
    more = {"TARGET_MODE": target_mode, "DEAD_MAN_URL": dead_man, "LOG_LEVEL": "DEBUG", "ENTRY_STOP": "after"}
    home.environment = live_environment(kraken, LOG_FILE=str(home.path / "zyn.log"), **more)
    on_telegram(home, telegram)
    telegram.say(OWNER, "status")
    world = LiveWorld(home, kraken, memory, may_oversell=target_mode == "resting")
    mover, watch = Mover(kraken.account, random), BareWatch(kraken.account)
    watch.turn(up=True)
    async with watch.watching():
        bot = await home.bot()
        await world.ready(bot)
        owner = LiveOwner(random, memory)
        await owner.look(bot)
        secrets_ = [kraken.key, kraken.secret, telegram.token, dead_man, dead_man.rpartition("/")[2]]
        yield Stormy(world, owner, mover, watch, Weather(kraken, random), bot, secrets_)


def tell(bad: Stormy) -> None:
    memory, kraken = bad.world.memory, bad.world.kraken
    live = read_live_books(bad.world.home.database)
    assert kraken.account.trades, "nothing was ever bought: this weather proves nothing"
    states = dict(Counter(row["state"] for row in live.books.orders))
    slowest_s, text = bad.owner.slowest
    print(
        f"{memory.asked} commands, {memory.answered} answered, refusals {memory.refusals}\n"
        f"{len(live.books.brackets)} brackets, orders {states}, {len(kraken.account.trades)} executions, "
        f"{len(live.incidents)} incidents, {len(kraken.requests)} private calls\n"
        f"weather {dict(bad.weather.met)}\n"
        f"longest without a stop {bad.watch.longest['up']:.1f} s, slowest answer {slowest_s:.1f} s ({text})"
    )
