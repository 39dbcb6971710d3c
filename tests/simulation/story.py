"""One seeded life of a desk on the hostile venue: commands, ticks, prices, hands, crashes; checked at every step."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from core.domain.brackets import Bracket
from core.domain.errors import Code
from core.domain.modes import TargetMode
from core.domain.money import ZERO
from core.domain.orders import OrderType, Role, Side
from core.domain.venue import VenueState
from core.trading.reply import Reply
from tests.rig import HandMarket, Rig, SettableClock, Wiring, open_rig
from tests.simulation.hostile import CALM, Crash, HostileVenue

STEPS = 45
HEALING = 40
UNCOVERED_MAX_S = 120.0
"""The limit of unprotected time (60 s), and what ticks, deadlines and refusals may add before the sale."""
ORDERS = (
    "buy 0.4 ZEC sl 1% tp 2%",
    "buy 0.2 ZEC sl 2% tp 1%",
    "buy 1 ZEC limit 498 sl 1% tp 3%",
    "sell 0.1 ZEC",
    "sell half my ZEC",
    "close ZEC",
    "cancel ZEC",
    "protect ZEC sl 3% tp 4%",
    "flatten",
)


class ViolationError(AssertionError):
    """A promise that did not hold, with the story that led there."""


@dataclass
class Story:
    """What happened, and what is checked."""

    seed: int
    venue: HostileVenue
    lines: list[str] = field(default_factory=list)
    crashes: int = 0
    uncovered_since: float | None = None
    longest_uncovered_s: float = 0.0
    elapsed_s: float = 0.0

    def say(self, line: str) -> None:
        self.lines.append(f"{self.elapsed_s:7.1f} s  {line}")

    def require(self, promise: str, holds: object, detail: object = "") -> None:
        """Raise with the whole story when a promise does not hold."""
        if not holds:
            story = "\n".join(self.lines[-60:])
            raise ViolationError(f"seed {self.seed}: {promise}: {detail}\n{story}")


async def live(seed: int) -> Story:
    """The whole life of one seed. Raises ViolationError."""
    random = Random(seed)
    clock = SettableClock()
    market = HandMarket(clock)
    venue = HostileVenue(clock, random, holds=random.random() < 0.5)
    story = Story(seed, venue)
    mode = random.choice([TargetMode.EMULATED, TargetMode.RESTING])
    market.price("ZEC/USD", venue.price)
    wiring = Wiring(market=market, clock=clock, target_mode=mode, wrap=lambda _paper: venue)
    async with open_rig(wiring, start=False) as first:
        story.say(
            f"seed {seed}, {mode}, the venue {'holds' if venue.holds else 'does not hold'} coins of resting orders"
        )
        rig = await _until_alive(story, first, _start)
        for _ in range(STEPS):
            rig = await _step(story, rig, random)
            _check(story, rig)
        venue.faults = CALM
        for _ in range(HEALING):
            rig = await _until_alive(story, rig, _pass_and_tick(story, random.uniform(3, 8), venue.price))
        _check_at_rest(story, rig)
    return story


async def _start(rig: Rig) -> None:
    await rig.service.start()


Work = Callable[[Rig], Awaitable[None]]


async def _until_alive(story: Story, rig: Rig, work: Work) -> Rig:
    """Do `work`; where the process dies in it, start a new one on the same database, as often as it takes."""
    todo = work
    while True:
        try:
            await todo(rig)
        except Crash:
            story.crashes += 1
            story.say("-- the process dies and starts again --")
            rig = await rig.reopen(start=False)
            todo = _start
        else:
            return rig


async def _step(story: Story, rig: Rig, random: Random) -> Rig:
    venue = story.venue
    drift = Decimal(random.choice(["0.985", "0.992", "0.998", "1", "1.002", "1.008", "1.015"]))
    price = (venue.price * drift).quantize(Decimal("0.01"))
    rig = await _until_alive(
        story, rig, _pass_and_tick(story, random.uniform(0.5, 7), price, tick=random.random() < 0.7)
    )
    if random.random() < 0.05:
        venue.cancel_by_hand()
        story.say("somebody cancels an order by hand")
    if random.random() < 0.45:
        text = random.choice(ORDERS)

        async def order(current: Rig) -> None:
            story.say(f"> {text}")
            reply = await current.tell(text)
            story.say(f"  {reply.text.splitlines()[-1 if reply.ok else 0]}")
            _check_reply(story, reply)

        rig = await _until_alive(story, rig, order)
    return rig


def _pass_and_tick(story: Story, seconds: float, price: Decimal, *, tick: bool = True) -> Work:
    async def work(rig: Rig) -> None:
        story.elapsed_s += seconds
        rig.time.pass_s(seconds)
        story.venue.move(price)
        rig.hand.price("ZEC/USD", price)
        if tick:
            report = await rig.tick()
            if report.changed or report.actions:
                story.say(f"tick at {price}: {report.actions} actions on {report.brackets} brackets")

    return work


# -- promises ------------------------------------------------------------------------------------------------------


def _check(story: Story, rig: Rig) -> None:
    venue = story.venue
    twice = {bracket for bracket, count in venue.entries_sent.items() if count > 1}
    story.require("one entry for one intent", not twice, str(twice))
    story.require("never sold more than bought", venue.coins() >= ZERO, str(venue.coins()))
    for bracket in rig.desk.ledger.unfinished():
        _check_fills(story, bracket)
        story.require("a bracket never sells more than it bought", bracket.held >= ZERO, bracket.id)
    _check_cover(story)


def _check_fills(story: Story, bracket: Bracket) -> None:
    for order in bracket.orders:
        shown = story.venue.orders.get(order.client_id)
        at_venue = shown.filled if shown else ZERO
        story.require(
            "the ledger claims no fill that the venue does not have",
            order.filled <= at_venue,
            f"{order.client_id}: ledger {order.filled}, venue {at_venue}",
        )


def _check_cover(story: Story) -> None:
    """Held coins without a resting stop, counted in the venue's own books."""
    venue = story.venue
    stops = sum(
        (one.quantity - one.filled for one in venue.orders.values()
         if one.type is OrderType.STOP_LOSS and one.state is VenueState.OPEN),
        ZERO,
    )  # fmt: skip
    bare = venue.coins() - stops
    if bare < Decimal("0.01"):
        story.uncovered_since = None
        return
    if story.uncovered_since is None:
        story.uncovered_since = story.elapsed_s
    lasted = story.elapsed_s - story.uncovered_since
    story.longest_uncovered_s = max(story.longest_uncovered_s, lasted)
    story.require("uncovered coins are covered or sold in time", lasted <= UNCOVERED_MAX_S, f"{bare} for {lasted} s")


def _check_reply(story: Story, reply: Reply) -> None:
    """What a receipt says is filled, the venue has filled."""
    for receipt in reply.receipts:
        shown = story.venue.orders.get(receipt.client_id)
        at_venue = shown.filled if shown else ZERO
        story.require(
            "a receipt shows no more than the venue has",
            receipt.filled <= at_venue,
            f"{receipt.client_id}: said {receipt.filled}, venue {at_venue}",
        )
    story.require("nothing of ours breaks", reply.code is not Code.INTERNAL, reply.text)


def _check_at_rest(story: Story, rig: Rig) -> None:
    """Without faults and after a while, both books say the same and everything held has its stop."""
    ledger: dict[str, Decimal] = {}
    for name in story.venue.orders:
        found = rig.desk.ledger.find_order(name)
        story.require("every order of the venue is in the ledger", found is not None, name)
        if found is not None:
            ledger[name] = found[1].filled
    differing = {n: (ledger[n], one.filled) for n, one in story.venue.orders.items() if ledger[n] != one.filled}
    story.require("at rest the ledger is the venue", not differing, str(differing))
    held = sum((bracket.held for bracket in rig.desk.ledger.unfinished()), ZERO)
    _check_cover(story)
    story.require("at rest everything held is covered", story.uncovered_since is None, f"{held} held")
    for bracket in rig.desk.ledger.unfinished():
        sales = [one for one in bracket.orders if one.side is Side.SELL and one.role is Role.EXIT and one.is_live]
        story.require("at rest no sale is under way", not sales, bracket.id)
