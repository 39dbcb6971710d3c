"""One seeded life: an owner who talks, a market that jumps, hands that meddle, a venue that fails, a process that dies.

story = live(seed=7)                        # story.violation names the promise that broke, if one did
story = live(seed=7, acts=12, traced=True)  # its first twelve acts and the healing after them, told line by line
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bot.settings import Settings
from core.domain.modes import Mode, TargetMode
from core.domain.money import ZERO
from core.ledger.store import Alert
from core.lifecycle.decide import Decision
from core.trading.desk import Desk
from core.trading.reply import Reply
from tests.rig import START
from tests.simulation.faults import CALM, Dice, Faults
from tests.simulation.kraken_shape import KrakenShaped
from tests.simulation.matching import ZEC, Books, Links, Nature
from tests.simulation.process import Crash, DriftingMarket, Process, boot, disk
from tests.simulation.promises import BrokenPromiseError, Promises, Tally
from tests.simulation.replies import Truth
from tests.simulation.rest import Rest
from tests.simulation.speech import say_something
from tests.simulation.venue import HostileVenue
from tests.simulation.virtual import LIFE, StuckError, VirtualLoop

ACTS = 45
HEALING_S = 600.0
JUMPS = tuple(Decimal(one) for one in ("0.96", "0.985", "0.992", "0.998", "1", "1", "1.002", "1.008", "1.015", "1.04"))
HOME = Decimal(500)


@dataclass
class Story:
    """What a life was made of."""

    seed: int
    nature: Nature
    target_mode: TargetMode
    tally: Tally
    lines: list[str] = field(default_factory=list)
    acts: int = 0
    steps: int = 0
    crashes: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    violation: str = ""


def live(seed: int, acts: int = ACTS, *, traced: bool = False) -> Story:
    """The whole life. A broken promise is in `violation`; everything else that goes wrong is raised."""
    random = Random(seed)
    rows = disk().wipe()
    with VirtualLoop(random) as loop:
        world = World(seed, random, loop, rows, traced=traced)
        try:
            world.run(acts)
        except (BrokenPromiseError, StuckError) as broken:
            world.story.violation = str(broken)
        except Exception as error:  # noqa: BLE001 - whatever breaks, the table must name the seed
            world.story.violation = f"the simulation itself broke: {type(error).__name__}: {error}"
        if world.story.violation:
            world.say(f"BROKEN {world.story.violation}")
        return world.finish()


class World:
    """Everything that happens in one life."""

    def __init__(self, seed: int, random: Random, loop: VirtualLoop, rows: sqlite3.Connection, *, traced: bool) -> None:
        self.random, self.loop, self._traced = random, loop, traced
        self.dice = Dice(random, Faults().times(random.choice([0.5, 1, 1, 2])))
        nature = Nature(
            holds=random.random() < 0.5,
            links=random.choice([Links.NOTHING, Links.SHRINKS, Links.CANCELS]),
            attaches=random.random() < 0.5,
            spare=random.choice([ZERO, ZERO, Decimal(5)]),
        )
        target_mode = random.choice([TargetMode.EMULATED, TargetMode.RESTING])
        self.story = Story(seed, nature, target_mode, Tally())
        self._settings = _settings(target_mode)
        self.process: Process | None = None
        self.promises = Promises(self.clock, rows, self.say, self.desk, self.story.tally)
        self.market = DriftingMarket(self.clock)
        self.market.dice = self.dice
        self.market.known = {"ZEC/USD": ZEC}
        modes = (Mode.PAPER, Mode.LIVE) if random.random() < 0.4 else (Mode.PAPER,)
        self.venues = [self._venue(mode, nature) for mode in modes]
        self._truths = {venue.mode: Truth(self.promises, venue) for venue in self.venues}
        self._crash_in = 0
        self._alive = 0
        self._ids = self._asked_to_buy = 0
        self._rest = Rest(self.promises)
        self._mean_life = random.choice([150, 400, 1500, 10**9])
        self._heard: list[int] = []
        self.say(f"seed {seed}: {nature}, targets {target_mode}, {' and '.join(modes)}")

    def _venue(self, mode: Mode, nature: Nature) -> HostileVenue:
        if mode is Mode.PAPER:
            return HostileVenue(mode, Books(nature, self.clock, HOME), self.loop, self.dice, self.clock, self)
        # Kraken links nothing; what it does with the coins of a resting stop, nobody knows.
        books = Books(replace(nature, links=Links.NOTHING), self.clock, HOME)
        return KrakenShaped(mode, books, self.loop, self.dice, self.clock, self, market=self.market)

    # -- time and words ------------------------------------------------------------------------------------------

    def clock(self) -> datetime:
        """The time of this life."""
        return START + timedelta(seconds=self.loop.time())

    def say(self, line: str) -> None:
        """A line of the story, if anybody reads it."""
        if self._traced:
            self.story.lines.append(f"{self.loop.time():8.2f} s  {line}")

    def desk(self, mode: Mode) -> Desk | None:
        """The desk that is alive and has recovered."""
        if self.process is None:
            return None
        desk = self.process.house.service.desk(mode)
        return desk if desk.ready else None

    # -- what the venues tell ------------------------------------------------------------------------------------

    def sending(self, venue: HostileVenue, action: Any) -> None:
        self.promises.sending(venue, action)

    def arrived_late(self, venue: HostileVenue, action: Any) -> None:
        self.promises.arrived_late(venue, action)

    def amended(self, venue: HostileVenue, action: Any) -> None:
        self.promises.amended(venue, action)

    def placed_or_changed(self, venue: HostileVenue, order: Any) -> None:
        if self._traced:
            name = order.client_id or f"child of {order.parent_id}"
            at = order.trigger_price or order.limit_price or "market"
            part = f"{order.filled} of {order.quantity}"
            self.say(f"   [{order.venue_id} {name} {order.side} at {at}: {order.state}, {part} filled] {order.reason}")
        self.promises.placed_or_changed(venue, order)

    def read(self, venue: HostileVenue, snapshot: Any, wanted: Any) -> None:
        self.promises.read(venue, snapshot, wanted)

    # -- life and death ------------------------------------------------------------------------------------------

    def run(self, acts: int) -> None:
        """Acts, then healing, then rest."""
        self._move(HOME)
        self._boot()
        story = self.loop.spawn(self._live(acts))
        self.loop.run(until=story.done, step=self._after_step)
        story.result()

    def finish(self) -> Story:
        """The numbers of this life."""
        self.story.steps, self.story.seconds = self.loop.steps, self.loop.time()
        self.story.faults = dict(self.dice.struck)
        return self.story

    def _after_step(self) -> None:
        if self.promises.broken:
            raise BrokenPromiseError(self.promises.broken)
        process = self.process
        if process is not None:
            try:
                self._fate(process.number)
            except Crash:
                self._bury(process)
            if process.troubles:
                raise BrokenPromiseError(f"nothing of ours breaks: {process.troubles[0]}")
        self.promises.step()
        for problem in self.loop.errors:
            raise BrokenPromiseError(f"nothing of ours breaks: {problem.get('exception')!r}")

    def _fate(self, number: int) -> None:
        """One more moment in which the process may die. Called between any two steps and around any transaction."""
        if self._alive != number:
            raise Crash
        if self.dice.faults is CALM:
            return
        self._crash_in -= 1
        if self._crash_in <= 0:
            self.loop.kill(number)
            self.process, self._alive = None, 0
            self.story.crashes += 1
            self.say("-- the process dies --")
            self.loop.spawn(self._reboot())
            raise Crash

    def _fate_in(self, number: int) -> None:
        """The same within a transaction, unless it is the world that looks into the database."""
        if LIFE.get() == number or self._alive != number:
            self._fate(number)

    def _bury(self, process: Process) -> None:
        self.loop.kill(process.number)

    async def _reboot(self) -> None:
        await asyncio.sleep(self.random.choice([0.1, 2.0, 15.0]))
        self.say("-- and starts again --")
        self._boot()

    def _boot(self) -> None:
        number = self._alive = self.story.crashes + 1
        for venue in self.venues:
            if isinstance(venue, KrakenShaped):
                venue.reborn()
        self._crash_in = 10**9
        self.process = boot(
            number, self.loop, self._settings, self.market, self.venues, lambda: self._fate_in(number), self._hear,
            self._saved, self._new_id,
        )  # fmt: skip
        self._crash_in = 1 + int(self.random.expovariate(1 / self._mean_life))
        self.process.start()

    def _new_id(self) -> str:
        self._ids += 1
        return f"zy{self._ids:04d}"

    def _saved(self, venue: HostileVenue, decisions: Sequence[Decision]) -> None:
        if self._traced:
            for decision in decisions:
                for event in decision.events:
                    self.say(f"   ledger: {event.text}")
        self.promises.saved(venue, decisions)

    # -- the chat ------------------------------------------------------------------------------------------------

    def _hear(self, alert: Alert) -> bool:
        if self.dice.strikes("chat_down"):
            return False
        before = self._heard[-1] if self._heard else 0
        self.promises.require("alerts come in order", alert.id >= before, f"{alert.id} after {before}")
        self.promises.require("an alert comes once to a chat that takes it", self._may_repeat(alert.id), alert)
        self._heard.append(alert.id)
        self.say(f"Zyn tells: [{alert.mode}] {alert.text}")
        self._truths[Mode(alert.mode)].check_alert(alert)
        return True

    def _may_repeat(self, number: int) -> bool:
        return self._heard[-1:] != [number] or self.story.crashes > 0

    def _ask(self) -> None:
        process = self.process
        if process is None:
            return
        text, since = say_something(self.random, self.venues, self.market.last["ZEC/USD"].last), self.clock()
        self.say(f"> {text}")
        self._asked_to_buy += "buy" in text or "force" in text

        def answered(reply: Reply) -> None:
            self.say("Zyn: " + reply.text.replace("\n", "\n               "))
            self.story.tally.replies[str(reply.code or "ok")] += 1
            truth = self._truths.get(reply.mode or Mode.PAPER)
            if truth is not None:
                truth.check_reply(reply, since)

        process.hear(text, answered)

    # -- the acts ------------------------------------------------------------------------------------------------

    async def _live(self, acts: int) -> None:
        for _ in range(acts):
            await asyncio.sleep(self._pause_s())
            self.story.acts += 1
            self.random.choices((self._jump, self._ask, self._meddle, self._outage), (50, 34, 5, 1))[0]()
            self._look()
        self.say("-- no more faults --")
        self.dice.faults = CALM
        for venue in self.venues:
            venue.outage_until = None
        await self._heal()

    def _pause_s(self) -> float:
        drawn = self.random.random()
        if drawn < 0.5:
            return self.random.uniform(0.01, 0.8)
        return self.random.uniform(0.8, 5) if drawn < 0.92 else self.random.uniform(8, 25)

    def _look(self) -> None:
        for venue in self.venues:
            self.promises.watch_cover(venue)

    def _jump(self) -> None:
        last = self.market.last["ZEC/USD"].last
        pull = (
            Decimal("1.01") if last < HOME * Decimal("0.9") else Decimal("0.99") if last > HOME * Decimal("1.1") else 1
        )
        self._move((last * self.random.choice(JUMPS) * pull).quantize(ZEC.tick_size))

    def _move(self, price: Decimal) -> None:
        self.say(f"price {price}")
        self.market.price("ZEC/USD", price)
        self.promises.prices.append((self.clock(), price))
        for venue in self.venues:
            venue.books.move(price)

    def _meddle(self) -> None:
        """Somebody trades in the venue's own window."""
        venue = self.random.choice(self.venues)
        books = venue.books
        what = self.random.choice(["cancel", "fill", "sell", "deposit"])
        self.dice.struck[f"by hand: {what}"] += 1
        self.say(f"-- by hand at the venue: {what} --")
        if what in {"cancel", "fill"} and books.resting:
            order = self.random.choice(books.resting)
            if what == "cancel":
                books.end(order.venue_id, "User canceled")
            else:
                books.fill(order.venue_id, order.quantity - order.filled)
        elif what == "sell":
            free = books.coins - (books.on_sale() if books.nature.holds else ZERO)
            taken = max(ZERO, free) * self.random.choice([Decimal("0.5"), Decimal(1)])
            books.spare -= taken
            venue.taken_by_hand += taken
        elif what == "deposit":
            books.spare += Decimal(1)

    def _outage(self) -> None:
        venue = self.random.choice(self.venues)
        venue.outage_until = self.clock() + timedelta(seconds=self.random.uniform(5, 45))
        self.dice.struck["outage"] += 1
        self.say("-- the venue is out --")

    async def _heal(self) -> None:
        """Wait until everything is at rest; what is not after seven minutes is a broken promise."""
        until = self.loop.time() + HEALING_S
        while True:
            await asyncio.sleep(15)
            self.market.price("ZEC/USD", self.market.last["ZEC/USD"].last)
            for venue in self.venues:
                venue.books.move(venue.books.price)
            self._look()
            try:
                self._require_rest()
            except BrokenPromiseError:
                if self.loop.time() > until:
                    raise
                self.promises.broken = ""
            else:
                return

    def _require_rest(self) -> None:
        for venue in self.venues:
            desk = self.desk(venue.mode)
            self.promises.require("Zyn is back", desk is not None, venue.mode)
            if desk is not None:
                self._rest.require_rest(venue, desk)
        self._rest.require_alerts()
        self._rest.require_intents(self._asked_to_buy)


def _settings(target_mode: TargetMode) -> Settings:
    return Settings(
        target_mode=target_mode,
        risk_pct_max=Decimal(100),
        exposure_pct_max=Decimal(100),
        max_order_quote=Decimal(1_000_000),
        price_collar_pct=Decimal(50),
    )
