"""What a chaos of LIVE needs: a market that never rests, an owner whose answers are kept, a watch over what is bare."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Any

from core.domain.money import ZERO
from core.domain.orders import OrderType, Side
from tests.e2e.chaos import SYMBOLS, TALKERS, Memory, Owner, broken_promises
from tests.e2e.kit import Bot, Home, Json, eventually
from tests.e2e.live_books import Comparison, LiveBooks, read_live_books
from tests.standins.kraken import KrakenStandIn
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_account_state import Event
from tests.standins.kraken_audit import is_ours
from tests.standins.kraken_limits import Tier
from tests.standins.kraken_records import Record

HOLDS, FREE = "stops hold their coins", "stops hold nothing"
WORLDS = (("emulated", HOLDS), ("resting", FREE), ("emulated", FREE), ("resting", HOLDS))
"""Where targets wait, and what the account does with the coins of a resting stop."""
SETTLED_S = 60.0
ANSWER_S = 120.0
COVERED_S = 25.0
"""How long after its recovery a bot may leave anything without a stop: an order under way may yet arrive for ten
seconds, and is then looked for twice."""
BEFORE = {"ZEC": Decimal(2), "ETH": Decimal(1), "SOL": Decimal(20), "DOGE": Decimal(30_000)}
"""Coins of the owner's own, which no order of ours may touch."""
_NOT_READY = re.compile("^LIVE desk: .*NOT READY", re.MULTILINE)
_VENUE_ID = re.compile(r"\bO[A-Z2-7]{5}-[A-Z2-7]{5}-[A-Z2-7]{6}\b")


def live_environment(kraken: KrakenStandIn, **more: str) -> dict[str, str]:
    """What makes a process trade LIVE at the stand-in, with ticks each second and nothing that risk would deny."""
    given = {
        "MODE": "LIVE",
        "MARKET": "kraken",
        "KRAKEN_API_KEY": kraken.key,
        "KRAKEN_API_SECRET": kraken.secret,
        "KRAKEN_API_URL": kraken.url,
        "KRAKEN_WS_URL": kraken.ws_url,
        "KRAKEN_WS_AUTH_URL": kraken.ws_auth_url,
        "KRAKEN_TIER": kraken.tier.value,
        "BRACKET_CHECK_SECONDS": "1",
        "RISK_PCT_MAX": "100",
        "EXPOSURE_PCT_MAX": "100",
        "MAX_ORDER_QUOTE": "1000000",
    }
    return given | more


def rich_kraken(*, stop_holds: bool = True, tier: Tier = Tier.PRO) -> KrakenStandIn:
    """A stand-in with money, and with coins that were there before."""
    return KrakenStandIn(balances={"USD": Decimal(10_000), **BEFORE}, stop_holds=stop_holds, tier=tier)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` beside what is within; should it break, that is told at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Mover:
    """Moves the prices of all symbols at random around where they began, print by print; the seed decides how."""

    def __init__(self, account: KrakenAccount, random: Random, pause_s: float = 0.04) -> None:
        self.account = account
        self.random = random
        self.pause_s = pause_s
        self._starts = {symbol: Decimal(account.pair(symbol).last) for symbol in SYMBOLS}

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """Within, prices move."""
        async with running(self._move()):
            yield

    async def _move(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(self.pause_s)

    def step(self) -> None:
        """One print."""
        symbol = self.random.choice(SYMBOLS)
        pair, start = self.account.pair(symbol), self._starts[symbol]
        last = Decimal(pair.last)
        home = (start - last) / start * Decimal("0.05")
        step = Decimal(self.random.uniform(-0.0015, 0.0015)) + home
        price = (last * (1 + step)).quantize(Decimal(pair.tick_size), ROUND_HALF_EVEN)
        volume = self.random.choice(("0.02", "0.5", "3", "1000000"))
        self.account.trade(symbol, format(price, "f"), volume)


# -- what has no stop ------------------------------------------------------------------------------------------------


class BareWatch:
    """How long coins that our orders bought lay at the account without a stop, bracket by bracket, as it sees them.

    Looked at every few milliseconds. `down` counts while no bot lives.
    """

    def __init__(self, account: KrakenAccount) -> None:
        self.account = account
        self.longest = {"up": 0.0, "down": 0.0}
        self.whose = {"up": "", "down": ""}
        self._is_up = False
        self._held: dict[str, Decimal] = {}
        self._symbols: dict[str, str] = {}
        self._since: dict[str, float] = {}
        account.listeners.append(self._on_event)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Within, it looks."""
        async with running(self._watch()):
            yield

    def turn(self, *, up: bool) -> None:
        """A bot begins to live, or has died: what is bare now counts anew."""
        self.look()
        self._is_up = up
        self._since.clear()

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.005)

    def look(self) -> None:
        """See what is bare now."""
        now, which = time.monotonic(), "up" if self._is_up else "down"
        bare = set(self._bare())
        for name in bare | set(self._since):
            lasted = now - self._since.setdefault(name, now)
            if lasted > self.longest[which]:
                self.longest[which], self.whose[which] = lasted, name
        for name in set(self._since) - bare:
            del self._since[name]

    def _on_event(self, event: Event) -> None:
        if event.trade is None or not is_ours(self.account, event.record):
            return
        shown, name = event.record.order.shown, self._bracket_of(event.record)
        sign = 1 if shown.side is Side.BUY else -1
        self._symbols[name] = shown.symbol
        self._held[name] = self._held.get(name, ZERO) + sign * (event.trade.quantity - event.trade.base_fee)

    def _bare(self) -> Iterator[str]:
        cover: dict[str, Decimal] = {}
        for record in self.account.open_records():
            if record.order.shown.type is OrderType.STOP_LOSS:
                name = self._bracket_of(record)
                cover[name] = cover.get(name, ZERO) + record.order.remaining
        for name, quantity in self._held.items():
            rest = quantity - cover.get(name, ZERO)
            if rest > ZERO:
                pair = self.account.pair(self._symbols[name])
                if not self.account.instrument(pair).is_dust(rest, Decimal(pair.last)):
                    yield name

    def _bracket_of(self, record: Record) -> str:
        parent = self.account.records.get(record.order.shown.parent_id or "")
        return ((parent or record).order.shown.client_id or "").rpartition("-")[0]


# -- what was said -----------------------------------------------------------------------------------------------------


class LiveOwner(Owner):
    """Mostly buys, so that there is something to lose."""

    def __init__(self, random: Random, memory: Memory) -> None:
        super().__init__(random, memory)
        self.slowest = (0.0, "")
        self._says_more = True

    def say(self) -> str:
        """One random command."""
        if self.random.random() < 0.5:
            symbol, worth = self.random.choice(SYMBOLS), self.random.choice((20, 90, 300, 700))
            stop, target = self.random.choice(("0.2", "0.6", "2")), self.random.choice(("0.3", "0.8", "3"))
            return f"buy ${worth} of {symbol} sl {stop}% tp {target}%"
        return super().say()

    @asynccontextmanager
    async def talking(self, bot: Bot, wires: int) -> AsyncIterator[None]:
        """Within, he talks on several wires; at the end he waits for what is not answered yet."""
        talkers = [asyncio.create_task(self._talk_on(bot)) for _ in range(wires)]
        self._says_more = True
        try:
            yield
        finally:
            self._says_more = False
            await asyncio.gather(*talkers)

    async def _talk_on(self, bot: Bot) -> None:
        wire = await bot.wire()
        while self._says_more:
            text, began = self.say(), time.monotonic()
            self.memory.asked += 1
            await wire.send(text)
            self.memory.hear(await wire.answer(ANSWER_S))
            self.slowest = max(self.slowest, (time.monotonic() - began, text))
            await asyncio.sleep(self.random.random() * 0.3)
        await wire.close()

    async def talk_until(self, bot: Bot, moment: Awaitable[object]) -> None:
        """Several wires, one command after the other on each; at the moment the bot is killed."""
        talkers = [asyncio.create_task(self._talk(bot)) for _ in range(TALKERS)]
        await moment
        assert bot.process.returncode is None, f"it died by itself:\n{bot.log.text}"
        await bot.kill()
        assert "Traceback" not in bot.log.text, bot.log.text
        await asyncio.gather(*talkers)


@dataclass
class LiveMemory(Memory):
    """Every answer in full, too."""

    texts: list[str] = field(default_factory=list)

    def hear(self, reply: Json) -> None:
        """Keep what a reply claims, and its words."""
        super().hear(reply)
        self.texts.append(reply["text"])


def invented(memory: LiveMemory, live: LiveBooks, account: KrakenAccount) -> list[str]:
    """Orders that an answer or an alert names and that the account never had."""
    texts = [*memory.texts, *live.books.alert_texts()]
    named = {name for text in texts for name in _VENUE_ID.findall(text)}
    named |= {receipt["venue_id"] for receipt in memory.receipts if receipt["venue_id"]}
    return [f"{name} was named to the owner and never was at the account" for name in named - set(account.records)]


@dataclass
class LiveWorld:
    """A home, its Kraken, and all that is needed to say whether everything is in order."""

    home: Home
    kraken: KrakenStandIn
    memory: LiveMemory
    may_oversell: bool = False

    def comparison(self) -> Comparison:
        """Ledger and account as they are now."""
        return Comparison(read_live_books(self.home.database), self.kraken.account, BEFORE, self.may_oversell)

    def wrong(self) -> list[str]:
        """Everything that is not as it should be now."""
        now = self.comparison()
        told = [receipt for receipt in self.memory.receipts if receipt["mode"] == "LIVE"]
        memory = LiveMemory(told, self.memory.brackets, self.memory.unanswered, texts=self.memory.texts)
        return [
            *now.disagreements(),
            *broken_promises(now.live.books, memory),
            *invented(memory, now.live, self.kraken.account),
        ]

    async def ready(self, bot: Bot) -> None:
        """Wait until the LIVE desk has compared its books."""
        async with asyncio.timeout(SETTLED_S):
            while _NOT_READY.search(await bot.done("status")) is not None:
                await asyncio.sleep(0.1)

    async def settled(self) -> None:
        """Wait until whatever is held is covered, soon, and then until nothing is wrong; fails with what is."""
        await holds(lambda: list(self.comparison().bare()), COVERED_S)
        await holds(self.wrong, SETTLED_S)

    async def open_is_true(self, bot: Bot) -> None:
        """What `open` shows is what rests at the account, and what the ledger holds; nothing more, nothing less."""
        shown = (await bot.ask("open", ANSWER_S))["data"]
        books = read_live_books(self.home.database).books
        resting = {record.id for record in self.kraken.account.open_records()}
        assert {order["id"] for order in shown["orders"] if _VENUE_ID.fullmatch(order["id"])} == resting
        held = {row["id"]: books.held(row["id"]) - row["gone"] for row in books.unfinished}
        told = {position["bracket"]: Decimal(position["quantity"]) for position in shown["positions"]}
        assert told == {name: quantity for name, quantity in held.items() if quantity > ZERO}


async def holds(look: Callable[[], list[str]], within_s: float) -> None:
    """Wait until `look` finds nothing. Fails with what it finds."""
    try:
        await eventually(lambda: not look(), "all is well", within_s, 0.1)
    except AssertionError:
        raise AssertionError(f"after {within_s:g} s:\n" + "\n".join(look())) from None
