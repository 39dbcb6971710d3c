"""The hostile venue as an exchange: messages travel, get lost, arrive late; lists hide, lag and come in part.

What travels belongs to the world and not to the process: a request that was on the wire when the process died still
arrives.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Protocol

from core.domain.modes import Mode
from core.domain.money import ZERO
from core.domain.orders import OrderType, Side
from core.domain.venue import (
    EVERYTHING,
    Accepted,
    Action,
    Amend,
    Balance,
    Cancel,
    Outcome,
    Reach,
    Refused,
    Snapshot,
    Submit,
    Unknown,
    VenueOrder,
    VenueState,
)
from core.exchange.errors import VenueUnreadableError
from core.exchange.port import Abilities
from core.exchange.reading import Page, read_books
from tests.plain_venue import PlainVenue
from tests.simulation.faults import Dice
from tests.simulation.matching import GRAIN, Books, Links, NoError
from tests.simulation.virtual import VirtualLoop

ANSWER_S = 5.0
"""How long the client waits for an answer."""
LATE_S = (5.0, 12.0)
LATE_ORDER_S = (5.0, 22.0)
"""Past its deadline an order is refused when it arrives, which is what deadlines are for."""
GHOST_S = (12.0, 30.0)
HIDDEN_S = (0.1, 2.5)
"""An order may be in neither list for so long after it was placed. Absence counts when seen twice, 3 s apart."""
FILL_HIDDEN_S = (0.5, 6.0)
CHILD_HIDDEN_S = (0.2, 3.5)
"""Less than the grace that the lifecycle gives a child: what comes later than that is an absence by design."""
WORDS = (
    "EOrder:Insufficient funds",
    "EOrder:Rate limit exceeded",
    "EOrder:Order minimum not met",
    "EOrder:Post only order",
    "EGeneral:Invalid arguments:volume minimum not met",
)


class Watch(Protocol):
    """Who looks at everything that passes."""

    def sending(self, venue: "HostileVenue", action: Action) -> None:
        """We are about to send."""
        ...

    def arrived_late(self, venue: "HostileVenue", action: Action) -> None:
        """What was taken for lost has been processed."""
        ...

    def amended(self, venue: "HostileVenue", action: Amend) -> None:
        """An amend has been processed."""
        ...

    def placed_or_changed(self, venue: "HostileVenue", order: VenueOrder) -> None:
        """The venue's books have moved."""
        ...

    def read(self, venue: "HostileVenue", snapshot: Snapshot, wanted: Collection[str]) -> None:
        """A snapshot came back."""
        ...

    def say(self, line: str) -> None:
        """A line for the story."""
        ...


@dataclass
class HostileVenue(PlainVenue):
    """One account of one mode."""

    mode: Mode
    books: Books
    loop: VirtualLoop
    dice: Dice
    clock: Callable[[], datetime]
    watch: Watch
    outage_until: datetime | None = None
    taken_by_hand: Decimal = ZERO
    ghosts: set[str] = field(default_factory=set)
    """Entries that are there although the venue's answer, or its promise about deadlines, said otherwise."""
    visible_at: dict[str, datetime] = field(default_factory=dict)
    _children: set[str] = field(default_factory=set)
    _stale: dict[str, tuple[datetime, VenueOrder]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.books.told = self._told
        self.books.fill_part = lambda: self.dice.strikes("partial_fill")

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def abilities(self) -> Abilities:
        nature = self.books.nature
        return Abilities(links_legs=nature.links is not Links.NOTHING, attaches_stops=nature.attaches)

    @property
    def is_out(self) -> bool:
        """Nothing gets through, either way."""
        return self.outage_until is not None and self.clock() < self.outage_until

    def is_shown_in_full(self, name: str, since: datetime) -> bool:
        """Whether a list read at `since` has shown this order with all of its fills."""
        until = self._stale[name][0] if name in self._stale else since
        return self.visible_at.get(name, since) <= since and until <= since

    # -- the port ----------------------------------------------------------------------------------------------

    async def advance(self, base: str | None = None) -> None:
        """This venue lives whether the bot looks or not."""

    async def close(self) -> None:
        """Nothing to give back."""

    async def perform(self, action: Action) -> Outcome:
        self.watch.sending(self, action)
        answer: asyncio.Future[Outcome] = self.loop.create_future()
        self.loop.spawn(self._carry(action, answer))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            return Unknown("no answer")

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        kept = frozenset(wanted)
        snapshot = await read_books(self.clock, self._still_open, lambda: self._closed(kept), self._balances)
        self.watch.read(self, snapshot, kept)
        return snapshot

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        return [one for one in (await self._still_open()).orders if symbol in {None, one.symbol}]

    # -- the wire ----------------------------------------------------------------------------------------------

    async def _carry(self, action: Action, answer: "asyncio.Future[Outcome]") -> None:
        if self.is_out or self.dice.strikes("request_lost"):
            self.watch.say(f"   {_short(action)} is lost on its way")
            return
        is_ghost = self._is_entry(action) and self.dice.strikes("entry_placed_past_its_deadline")
        is_late = is_ghost or self.dice.strikes("arrives_late")
        span = GHOST_S if is_ghost else LATE_ORDER_S if isinstance(action, Submit) else LATE_S
        await asyncio.sleep(self.dice.random.uniform(*span) if is_late else self.dice.travel_s())
        if is_ghost and isinstance(action, Submit):
            self.ghosts.add(action.order.client_id)
            action = replace(action, order=replace(action.order, deadline=self.clock()))
        outcome = self._process(action)
        if (
            self._is_entry(action)
            and isinstance(outcome, Accepted)
            and self.dice.strikes("entry_placed_though_refused")
        ):
            self.ghosts.add(action.order.client_id)
            outcome = Refused("EGeneral:Unknown warning")
        self.watch.say(f"   {_short(action)}{' (late)' if is_late else ''}: {_words(outcome)}")
        if is_late:
            self.watch.arrived_late(self, action)
        if self.is_out or self.dice.strikes("answer_lost"):
            self.watch.say("   ... and the answer is lost")
            return
        await asyncio.sleep(self.dice.travel_s())
        if not answer.done():
            answer.set_result(outcome)

    def _is_entry(self, action: Action) -> bool:
        """Only those rise from the dead: a second sale could sell coins twice before anybody could help it."""
        return isinstance(action, Submit) and action.order.side is Side.BUY

    def _process(self, action: Action) -> Outcome:
        if self.dice.strikes("refused"):
            return Refused(self.dice.random.choice(WORDS))
        try:
            if isinstance(action, Submit):
                return Accepted(self._submit(action).venue_id)
            order = self.books.find(action.order)
            if order is None:
                return Refused("EOrder:Unknown order")
            if isinstance(action, Cancel):
                self._cancel(order)
            elif isinstance(action, Amend):
                self.books.amend(order, action)
                self.watch.amended(self, action)
        except NoError as no:
            return Refused(str(no))
        return Accepted(order.venue_id)

    def _submit(self, action: Submit) -> VenueOrder:
        number = len(self.books.orders)
        if self.dice.strikes("hidden_at_first"):
            self.visible_at[f"V-{number + 1}"] = self._in(HIDDEN_S)
        return self.books.submit(action)

    def _cancel(self, order: VenueOrder) -> None:
        """A fill may cross the cancel, and be shown only later."""
        if order.state is VenueState.OPEN and self.dice.strikes("fill_crosses_cancel"):
            part = ((order.quantity - order.filled) / 3).quantize(GRAIN, rounding=ROUND_DOWN)
            if part > ZERO and self._may_cross(order):
                before = order
                self.books.fill(order.venue_id, part, order.trigger_price or order.limit_price)
                order = self.books.orders[order.venue_id]
                if order.side is Side.BUY and self.dice.strikes("fill_shown_late"):
                    self._stale[order.venue_id] = (self._in(FILL_HIDDEN_S), before)
        self.books.cancel(order)

    def _may_cross(self, order: VenueOrder) -> bool:
        """Not with the venue's own children: the stop would be shown before the fill that it belongs to."""
        return not (order.side is Side.BUY and self.books.nature.attaches)

    def _in(self, seconds: tuple[float, float]) -> datetime:
        return self.clock() + timedelta(seconds=self.dice.random.uniform(*seconds))

    def _told(self, order: VenueOrder) -> None:
        is_new_child = order.parent_id is not None and order.venue_id not in self._children
        self._children.add(order.venue_id)
        if is_new_child and self.dice.strikes("child_appears_late"):
            self.visible_at[order.venue_id] = self._in(CHILD_HIDDEN_S)
        self.watch.placed_or_changed(self, order)

    # -- the lists ---------------------------------------------------------------------------------------------

    async def _still_open(self) -> Page:
        await self._ask()
        now = self.clock()
        found = [one for one in self.books.resting if self._is_visible(one, now)]
        return await self._page(found)

    async def _closed(self, wanted: Collection[str]) -> Page:
        await self._ask()
        now = self.clock()
        found = [
            self._as_shown(one, now)
            for one in self.books.orders.values()
            if one.state is not VenueState.OPEN
            and (one.client_id in wanted or one.client_id is None)
            and self._is_visible(one, now)
        ]
        return await self._page(found)

    async def _balances(self) -> Mapping[str, Balance]:
        await self._ask()
        if self.dice.strikes("balances_empty"):
            return {}
        held = self.books.on_sale() if self.books.nature.holds else ZERO
        found = {"USD": Balance("USD", Decimal(1_000_000))}
        if self.books.coins > ZERO:
            found["ZEC"] = Balance("ZEC", self.books.coins, min(held, self.books.coins))
        await asyncio.sleep(self.dice.travel_s())
        return found

    async def _ask(self) -> None:
        await asyncio.sleep(self.dice.travel_s())
        if self.is_out or self.dice.strikes("unreadable"):
            await asyncio.sleep(self.dice.travel_s())
            raise VenueUnreadableError("the venue does not answer")

    async def _page(self, found: list[VenueOrder]) -> Page:
        whole = not self.dice.strikes("partial_snapshot")
        shown = found if whole else [one for one in found if self.dice.random.random() < 0.4]
        await asyncio.sleep(self.dice.travel_s())
        return Page(shown, whole)

    def _is_visible(self, order: VenueOrder, now: datetime) -> bool:
        return self.visible_at.get(order.venue_id, now) <= now

    def _as_shown(self, order: VenueOrder, now: datetime) -> VenueOrder:
        until, before = self._stale.get(order.venue_id, (now, order))
        if until <= now:
            return order
        return replace(before, state=order.state, reason=order.reason)


def _short(action: Action) -> str:
    order = action.order
    what = f"{type(action).__name__.lower()} {order.client_id} ({order.role})"
    if isinstance(action, Submit):
        kind = "market" if order.type is OrderType.MARKET else f"{order.price}"
        return f"{what}: {order.side} {order.quantity} at {kind}"
    if isinstance(action, Amend):
        return f"{what}: {action.quantity} at {action.trigger_price or action.limit_price}"
    return what


def _words(outcome: Outcome) -> str:
    if isinstance(outcome, Accepted):
        return f"accepted as {outcome.venue_id}"
    return f"refused, {outcome.reason}" if isinstance(outcome, Refused) else "unknown"
