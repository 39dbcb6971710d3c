"""What must hold at every step, whatever the venue does and whenever the process dies."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.domain.brackets import Bracket, BracketState
from core.domain.modes import Mode, TradingState
from core.domain.money import ZERO
from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.domain.venue import Action, Amend, Cancel, Snapshot, Submit, VenueOrder, VenueState
from core.lifecycle.decide import Decision
from core.lifecycle.states import MOVES
from core.trading.desk import Desk
from tests.simulation.bare import Bare, layers, oldest
from tests.simulation.matching import ZEC, Books, Links

if TYPE_CHECKING:
    from tests.simulation.venue import HostileVenue

DUST = ZEC.order_min
REDUCING_BY_S = 45.0
"""A desk that has had uncovered coins for so long, while it could see, must take no entries."""
LEAVING_BY_S = 95.0
"""The limit of unprotected time (60 s), a deadline and the looks between: by then the coins must be on their way."""
BLIND_AFTER_S = 8.0
EXCUSED_S = 60.0
UNLINKED_S = 150.0
"""By then a fill of one leg has shrunk the other, outages and restarts included."""
TARGET_S = 30.0
"""How long after a price reached the target a stop may be taken back for it: the age of a quote that is acted on."""
TRIED_S = 15.0
"""A sale that was refused so lately will be tried again: its wish is renewed by the next look."""
AGAIN_S = 75.0
"""Within this time another stop is tried: the longest pause after refusals (60 s), and the looks between."""
AMEND_S = 6.0
"""From the reading that an amend was decided on to its arrival."""
UNSEEN_S = 12.0
"""What ended so lately may be unseen yet: lists lag, and some of them come in part or not at all."""


class BrokenPromiseError(AssertionError):
    """A promise that did not hold."""


@dataclass
class Tally:
    """What happened, for the table."""

    actions: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    longest_bare_s: float = 0.0
    longest_bare_seeing_s: float = 0.0

    def add(self, other: "Tally") -> None:
        """Count another life's in."""
        for name in ("actions", "moves", "ends", "events", "replies"):
            getattr(self, name).update(getattr(other, name))
        self.longest_bare_s = max(self.longest_bare_s, other.longest_bare_s)
        self.longest_bare_seeing_s = max(self.longest_bare_seeing_s, other.longest_bare_seeing_s)


@dataclass
class Promises:
    """Watches venues, ledgers and desks of one life. Raises BrokenPromiseError the moment one is broken."""

    clock: Callable[[], datetime]
    rows: sqlite3.Connection
    say: Callable[[str], None]
    desk: Callable[[Mode], Desk | None]
    """The desk of the process that is alive, None while there is none."""
    tally: Tally = field(default_factory=Tally)
    broken: str = ""
    history: dict[tuple[Mode, str], list[tuple[datetime, VenueOrder]]] = field(default_factory=dict)
    prices: list[tuple[datetime, Decimal]] = field(default_factory=list)
    _sent: set[str] = field(default_factory=set)
    _entries: Counter[str] = field(default_factory=Counter)
    _touched: "dict[tuple[Mode, str], HostileVenue]" = field(default_factory=dict)
    _excused: dict[str, datetime] = field(default_factory=dict)
    _bare: dict[str, list[Bare]] = field(default_factory=dict)
    _seen_at: dict[Mode, datetime] = field(default_factory=dict)
    _blind_s: dict[Mode, float] = field(default_factory=lambda: dict.fromkeys(Mode, 0.0))
    _looked_at: dict[Mode, datetime] = field(default_factory=dict)

    def require(self, promise: str, holds: object, detail: object = "") -> None:
        """Raise where a promise does not hold, and remember it, whoever catches."""
        if not holds:
            self.broken = self.broken or f"{promise}: {detail}"
            raise BrokenPromiseError(f"{promise}: {detail}")

    # -- what we send --------------------------------------------------------------------------------------------

    def sending(self, venue: "HostileVenue", action: Action) -> None:
        order = action.order
        self.tally.actions[f"{type(action).__name__.lower()} {order.role}"] += 1
        row = self.rows.execute("SELECT state FROM orders WHERE client_id = ?", [order.client_id]).fetchone()
        self.require("an order is saved before it is sent", row is not None, order.client_id)
        if isinstance(action, Submit):
            self.require("an order that is sent is saved as submitting", row[0] == "submitting", (order, row))
            self.require("a name is sent once", order.client_id not in self._sent, order.client_id)
            self.require("nothing is sent after its deadline", self.clock() <= order.deadline, order)
            self._sent.add(order.client_id)
            if order.side is Side.BUY:
                self._entries[order.bracket_id] += 1
                once = self._entries[order.bracket_id] == 1
                self.require("one entry for one intent", once, order.bracket_id)
        elif order.role is Role.STOP:
            self._require_cover_kept(venue, action)

    def _require_cover_kept(self, venue: "HostileVenue", action: Cancel | Amend) -> None:
        """A stop is taken back or shrunk only where it covers too much, or where the coins are being sold."""
        desk = self.desk(venue.mode)
        bracket = desk.ledger.bracket(action.order.bracket_id) if desk else None
        if bracket is None or self._target_was_reached(bracket):
            return
        if any(one.state is OrderState.SUBMITTING for one in bracket.of_role(Role.STOP)):
            return  # A stop whose answer is outstanding counts as cover; whether it is there, nobody can say yet.
        books = venue.books
        before = sum((_left(one) for one in books.of(bracket.id) if _is_stop(one)), ZERO)
        shown = books.find(action.order)
        if shown is None or not _is_stop(shown):
            return
        left = action.quantity - shown.filled if isinstance(action, Amend) else ZERO
        after = before - _left(shown) + left
        # What Zyn can know to be held: its own books, or the stops that fills have spawned, whichever say more.
        known = max(bracket.held, bracket.spawned - bracket.sold - bracket.gone)
        stays = min(known, books.bought_less_sold(bracket.id) - bracket.gone) - _being_left(bracket)
        kept = after >= min(before, stays) - self._gone_unseen(venue, bracket) - DUST
        self.require("a stop is not taken from coins that stay", kept, f"{bracket.id}: {before} to {after}")

    def _gone_unseen(self, venue: "HostileVenue", bracket: Bracket) -> Decimal:
        """Cover that has sold or was taken away a moment ago, and no list has shown to Zyn yet."""
        there = {one.venue_id: one for one in venue.books.of(bracket.id)}
        total = ZERO
        for order in bracket.of_role(Role.STOP):
            shown = there.get(order.venue_id or "")
            changes = self.history.get((venue.mode, order.venue_id or ""), [])
            if shown is None or not order.is_live or not changes or not self._is_fresh(changes[-1][0], UNSEEN_S):
                continue
            left = _left(shown) if shown.state is VenueState.OPEN else ZERO
            total += max(ZERO, order.remaining - left)
        return total

    def _target_was_reached(self, bracket: Bracket) -> bool:
        since = self.clock() - timedelta(seconds=TARGET_S)
        if bracket.target_price is None:
            return False
        at_first = [price for at, price in self.prices if at < since][-1:]
        later = [price for at, price in self.prices if at >= since]
        return any(price >= bracket.target_price for price in (*at_first, *later))

    # -- what the venue's books become ---------------------------------------------------------------------------

    def placed_or_changed(self, venue: "HostileVenue", order: VenueOrder) -> None:
        self.history.setdefault((venue.mode, order.venue_id), []).append((self.clock(), order))
        bracket = venue.books.owners.get(order.venue_id)
        if bracket is not None:
            self._touched[venue.mode, bracket] = venue
            if venue.books.rests_unlinked and order.side is Side.SELL and order.filled > ZERO:
                # Nothing links the legs there: until Zyn has seen the one trade, the other is too large.
                self._excused[bracket] = self.clock() + timedelta(seconds=UNLINKED_S)

    def arrived_late(self, venue: "HostileVenue", action: Action) -> None:
        """What was taken for lost may undo what was decided since; the next looks put it right."""
        del venue
        if not isinstance(action, Submit):
            self._excused[action.order.bracket_id] = self.clock() + timedelta(seconds=EXCUSED_S)

    def amended(self, venue: "HostileVenue", action: Amend) -> None:
        """An amend that was decided before a fill arrives after it: what it explains is put right by the next look."""
        orders = venue.books.of(action.order.bracket_id)
        if any(one.filled_at is not None and self._is_fresh(one.filled_at) for one in orders):
            self._excused[action.order.bracket_id] = self.clock() + timedelta(seconds=EXCUSED_S)

    def _is_fresh(self, at: datetime, within_s: float = AMEND_S) -> bool:
        return at >= self.clock() - timedelta(seconds=within_s)

    def step(self) -> None:
        """After every step of the loop: the brackets whose books have moved."""
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        for (_, bracket), venue in touched.items():
            books = venue.books
            held = books.bought_less_sold(bracket)
            sold_right = held >= ZERO or both_legs_traded(books, bracket)
            self.require("never sold more than bought", sold_right, f"{bracket}: {held}")
            on_sale = _on_sale(books, bracket)
            if on_sale > held and not self._is_excused(bracket):
                self.require("no more is on sale than we hold", False, f"{bracket}: {on_sale} of {held}")
        for venue in {id(one): one for one in touched.values()}.values():
            self.watch_cover(venue)

    def _is_excused(self, bracket: str) -> bool:
        until = self._excused.get(bracket)
        return until is not None and self.clock() <= until

    # -- cover ---------------------------------------------------------------------------------------------------

    def watch_cover(self, venue: "HostileVenue") -> None:
        """Seconds in which bought coins have no stop at the venue, in the venue's own books."""
        now, mode = self.clock(), venue.mode
        self._count_blindness(mode, now)
        books = venue.books
        written_off = self._written_off() if venue.dice.struck["by hand: sell"] else {}
        gone = max(ZERO, books.bought_less_sold() - sum(written_off.values(), ZERO) - books.coins)
        for bracket in books.brackets:
            orders = books.of(bracket)
            held, stops = -written_off.get(bracket, ZERO), ZERO
            for order in orders:
                held += order.filled if order.side is Side.BUY else -order.filled
                if order.type is OrderType.STOP_LOSS and order.state is VenueState.OPEN:
                    stops += order.quantity - order.filled
            if held - stops - gone < DUST or _is_selling(orders):
                self._bare.pop(bracket, None)
                continue
            bare = self._bare.get(bracket, [])
            self._bare[bracket] = layers(bare, held - stops - gone, now, self._blind_s[mode])
            start = oldest(self._bare[bracket], DUST)
            lasted = (now - start.since).total_seconds()
            seeing = lasted - (self._blind_s[mode] - start.blind_s)
            self.tally.longest_bare_s = max(self.tally.longest_bare_s, lasted)
            self.tally.longest_bare_seeing_s = max(self.tally.longest_bare_seeing_s, seeing)
            self._require_cover(mode, bracket, seeing)

    def _written_off(self) -> dict[str, Decimal]:
        """What the ledger has stopped counting on, because it was sold or moved by hand."""
        found = self.rows.execute("SELECT id, gone FROM bracket WHERE gone <> '0'")
        return {name: Decimal(gone) for name, gone in found}

    def _count_blindness(self, mode: Mode, now: datetime) -> None:
        """Time in which no process could both see and act."""
        before = self._looked_at.get(mode, now)
        self._looked_at[mode] = now
        seen = self._seen_at.get(mode)
        desk = self.desk(mode)
        if desk is None or seen is None or (now - seen).total_seconds() > BLIND_AFTER_S:
            self._blind_s[mode] += (now - before).total_seconds()

    def _require_cover(self, mode: Mode, name: str, seeing: float) -> None:
        desk = self.desk(mode)
        if desk is None or seeing <= REDUCING_BY_S:
            return
        reducing = desk.state is not TradingState.ACTIVE
        self.require("a desk with uncovered coins takes no entries", reducing, f"{name} for {seeing:.0f} s")
        bracket = desk.ledger.bracket(name)
        lately = self.clock() - timedelta(seconds=TRIED_S)
        leaving = bracket is not None and (
            bracket.leave is not None
            or bracket.state is BracketState.CLOSED
            or any(one.created_at >= lately for one in bracket.of_role(Role.EXIT))
        )
        tried = bracket is not None and (
            leaving
            or any(one.created_at >= self.clock() - timedelta(seconds=AGAIN_S) for one in bracket.of_role(Role.STOP))
        )
        self.require("bare coins are given a stop again and again", tried, f"{name} for {seeing:.0f} s")
        in_time = seeing <= LEAVING_BY_S or leaving
        self.require("uncovered coins are covered or on their way out", in_time, f"{name} for {seeing:.0f} s")

    # -- what the ledger learns ----------------------------------------------------------------------------------

    def saved(self, venue: "HostileVenue", decisions: Iterable[Decision]) -> None:
        """What was just committed."""
        books = venue.books
        for decision in decisions:
            known = {order.client_id: order for order in decision.before.orders}
            for order in decision.after.orders:
                before = known.get(order.client_id)
                if before is not order:
                    self._require_true(venue, before, order)
            for event in decision.events:
                self.tally.events[event.kind] += 1
            after = decision.after
            if after.gone > decision.before.gone:
                self._require_really_gone(venue)
            if after.state is BracketState.CLOSED and decision.before.state is not BracketState.CLOSED:
                self.tally.ends[str(after.close_reason)] += 1
                entry = after.entry.client_id if after.entry else ""
                orders = [] if entry in venue.ghosts else books.of(after.id)
                live = [one.venue_id for one in orders if one.state is VenueState.OPEN]
                self.require("what is closed has nothing open", not live, f"{venue.mode} {after.id}: {live}")

    def _require_really_gone(self, venue: "HostileVenue") -> None:
        """No more is written off than hands have taken, or legs of other brackets that nothing linked."""
        row = self.rows.execute("SELECT gone FROM bracket WHERE mode = ? AND gone <> '0'", [venue.mode.value])
        gone = sum((Decimal(one) for (one,) in row), ZERO)
        books = venue.books
        oversold = sum((max(ZERO, -books.bought_less_sold(one)) for one in books.brackets), ZERO)
        most = venue.taken_by_hand + oversold + ZEC.lot_size * len(venue.books.brackets)  # in whole lots
        self.require("only what is gone is written off", gone <= most, f"{gone} of {venue.taken_by_hand}")

    def _require_true(self, venue: "HostileVenue", before: Order | None, order: Order) -> None:
        shown = venue.books.find(order)
        filled = shown.filled if shown else ZERO
        claim = f"{order.client_id}: {order.filled} of {filled}"
        self.require("the ledger claims no fill that the venue does not have", order.filled <= filled, claim)
        if before is not None and before.state is order.state:
            return
        state = order.state
        if before is not None:
            self.tally.moves[f"{order.role} {before.state} > {state}"] += 1
            self.require("every move is in the table", state in MOVES[before.state], f"{before.state} > {state}")
        claim = f"{order.client_id} {state}, at the venue {shown.state if shown else 'unknown'}"
        if state in {OrderState.LOST, OrderState.REJECTED}:
            dead = shown is None or order.client_id in venue.ghosts
            self.require("what is called dead is not at the venue", dead, claim)
        elif state is OrderState.OPEN:
            self.require("what is called open is at the venue", shown is not None, claim)
        elif state is OrderState.FILLED:
            whole = shown is not None and shown.filled >= shown.quantity
            self.require("what is called filled is filled", whole, claim)
        elif state is OrderState.CANCELED and before is not None and before.state is not OrderState.HELD:
            over = shown is not None and shown.state is not VenueState.OPEN
            self.require("what is called canceled is over", over, claim)

    # -- what is read --------------------------------------------------------------------------------------------

    def read(self, venue: "HostileVenue", snapshot: Snapshot, wanted: Collection[str]) -> None:
        """A complete snapshot has everything that was there before it began."""
        if not snapshot.complete:
            return
        self._seen_at[venue.mode] = self.clock()
        began = snapshot.began_at
        for order in venue.books.orders.values():
            if order.opened_at >= began or venue.visible_at.get(order.venue_id, began) > began:
                continue
            if order.state is not VenueState.OPEN and order.client_id not in wanted:
                continue
            shown = order.client_id in snapshot.orders or order.venue_id in snapshot.nameless
            self.require("a complete snapshot lacks nothing", shown, f"{order.venue_id} {order.client_id}")


def _on_sale(books: Books, bracket: str) -> Decimal:
    """Coins that the bracket's open sales would take. Legs that the venue links take them once."""
    stops = targets = ZERO
    for order in books.of(bracket):
        if order.side is Side.SELL and order.state is VenueState.OPEN:
            if order.type is OrderType.STOP_LOSS:
                stops += order.quantity - order.filled
            else:
                targets += order.quantity - order.filled
    takes_both = books.nature.links is Links.NOTHING and not books.rests_unlinked
    return stops + targets if takes_both else max(stops, targets)


def both_legs_traded(books: Books, bracket: str) -> bool:
    """Where nothing links the legs, both may trade before anybody can help it. That is told, and halts the desk."""
    sold = {one.type for one in books.of(bracket) if one.side is Side.SELL and one.filled > ZERO}
    return books.rests_unlinked and {OrderType.STOP_LOSS, OrderType.LIMIT} <= sold


def _being_left(bracket: Bracket) -> Decimal:
    """What a wish to sell still asks for."""
    if bracket.leave is None:
        return ZERO
    sold = sum((one.filled for one in bracket.of_role(Role.EXIT)), ZERO)
    return max(ZERO, bracket.leave.quantity - (sold - bracket.leave.sold_before))


def _is_stop(order: VenueOrder) -> bool:
    return order.type is OrderType.STOP_LOSS and order.state is VenueState.OPEN


def _left(order: VenueOrder) -> Decimal:
    return order.quantity - order.filled


def _is_selling(orders: Iterable[VenueOrder]) -> bool:
    """A market sale, or what is left of one, is under way at the venue."""
    return any(
        one.side is Side.SELL and one.state is VenueState.OPEN and one.type is OrderType.MARKET for one in orders
    )
