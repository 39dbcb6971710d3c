"""A talkative owner and a bot that is killed under him: what he was told is kept, to be held against the books."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from tests.e2e.books import Books, disagreements, read_books
from tests.e2e.kit import Bot, Home, Json, eventually

SYMBOLS = ("ZEC/USD", "ETH/USD", "SOL/USD", "DOGE/USD")
TALKERS = 3
SETTLED_S = 15.0
_NOT_GONE_BACK = {"filled": {"filled"}, "canceled": {"canceled", "filled"}, "rejected": {"rejected"}}
"""What an order may be later, once a receipt said that it is over."""


@dataclass
class Memory:
    """Everything that was asked and answered, over all lives of the bot."""

    receipts: list[Json] = field(default_factory=list)
    brackets: set[str] = field(default_factory=set)
    """Of which some reply has told."""
    unanswered: list[str] = field(default_factory=list)
    """Commands that may have bought something before the bot died."""
    asked: int = 0
    answered: int = 0
    refusals: dict[str, int] = field(default_factory=dict)

    def hear(self, reply: Json) -> None:
        """Keep what a reply claims."""
        self.answered += 1
        self.receipts += reply["receipts"]
        self.brackets |= {receipt["client_id"].rpartition("-")[0] for receipt in reply["receipts"]}
        if "bracket" in reply["data"]:
            self.brackets.add(reply["data"]["bracket"])
        if not reply["ok"]:
            self.refusals[reply["code"]] = self.refusals.get(reply["code"], 0) + 1


class Owner:
    """Says random things; the seed decides which."""

    def __init__(self, random: Random, memory: Memory) -> None:
        self.random = random
        self.memory = memory
        self._prices: dict[str, Decimal] = {}

    async def look(self, bot: Bot) -> None:
        """Read the prices that the next limits are made of."""
        for symbol in SYMBOLS:
            reply = await bot.ask(f"price {symbol}")
            self._prices[symbol] = Decimal(reply["data"]["bid"])

    async def talk_until_killed(self, bot: Bot, kill_after_s: float) -> None:
        """Several wires, one command after the other on each, until the bot dies."""
        talkers = [asyncio.create_task(self._talk(bot)) for _ in range(TALKERS)]
        await asyncio.sleep(kill_after_s)
        await bot.kill()
        await asyncio.gather(*talkers)

    async def _talk(self, bot: Bot) -> None:
        with contextlib.suppress(OSError):
            wire = await bot.wire()
            while True:
                text = self.say()
                self.memory.asked += 1
                try:
                    await wire.send(text)
                    self.memory.hear(await wire.answer())
                except OSError:
                    self.memory.unanswered.append(text)
                    await wire.close()
                    return

    def say(self) -> str:
        """One random command."""
        symbol = self.random.choice(SYMBOLS)
        coin = symbol.partition("/")[0]
        stop, target = self.random.choice(("0.3", "0.6", "2")), self.random.choice(("0.4", "0.8", "3"))
        worth = self.random.choice((12, 40, 90, 300, 1500))
        near = self._prices[symbol] * self.random.choice((Decimal("0.9985"), Decimal("0.999"), Decimal("1.002")))
        limit = near.normalize()
        sayings = (
            (6, f"buy ${worth} of {symbol} sl {stop}% tp {target}%"),
            (4, f"buy ${worth} of {symbol} limit {limit:f} sl {stop}% tp {target}%"),
            (3, f"sell {self.random.choice(('half', '30%', 'all'))} of my {coin}"),
            (2, f"close {symbol}"),
            (2, f"protect {symbol} sl {stop}% tp {target}%"),
            (1, f"move the stop of {coin} to break even"),
            (2, f"cancel {self.random.choice(('all orders', coin))}"),
            (1, "flatten everything"),
            (1, f"force_trade_test {coin}"),
            (2, self.random.choice(("open", "balance", "trades"))),
        )
        return self.random.choices([text for _, text in sayings], [weight for weight, _ in sayings])[0]


def broken_promises(books: Books, memory: Memory) -> list[str]:
    """What the owner was told and the books do not bear out; what they hold and nobody asked for."""
    found = []
    orders = {order["client_id"]: order for order in books.orders}
    for receipt in memory.receipts:
        order = orders.get(receipt["client_id"])
        if order is None:
            found.append(f"{receipt['client_id']} was confirmed and is not in the ledger")
        elif order["filled"] < Decimal(receipt["filled"]):
            found.append(
                f"{receipt['client_id']}: {receipt['filled']} filled was said, the ledger has {order['filled']}"
            )
        elif order["state"] not in _NOT_GONE_BACK.get(receipt["state"], {order["state"]}):
            found.append(f"{receipt['client_id']} was said to be {receipt['state']} and is {order['state']}")
    there = {row["id"] for row in books.brackets}
    found += [f"bracket {name} was confirmed and is not there" for name in memory.brackets - there]
    untold = there - memory.brackets
    could = [text for text in memory.unanswered if text.startswith(("buy", "force"))]
    if len(untold) > len(could):
        found.append(f"{len(untold)} brackets that no reply told of, from {len(could)} unanswered commands: {untold}")
    return found


async def settled(home: Home, memory: Memory) -> None:
    """Wait until both books agree and every promise holds. Fails with what does not."""

    def wrong() -> list[str]:
        books = read_books(home.database)
        return disagreements(books) + broken_promises(books, memory)

    try:
        await eventually(lambda: not wrong(), "the books agree", SETTLED_S)
    except AssertionError:
        raise AssertionError("after a restart:\n" + "\n".join(wrong())) from None
