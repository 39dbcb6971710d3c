"""What is open at a desk: the venue's orders joined with our brackets. Built from one snapshot."""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.market import Quote
from core.domain.modes import Mode
from core.domain.money import ZERO, divide, times
from core.domain.orders import Order, OrderState, OrderType, Role
from core.domain.venue import Snapshot, VenueOrder
from core.lifecycle.absorb import absorb
from core.trading.desk import Desk
from core.trading.foreign import where


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """One order that waits. `where` says who keeps it; `filled` is what it has traded so far."""

    name: str
    role: str
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    kind: str
    where: str


@dataclass(frozen=True, slots=True)
class Position:
    """Coins of one bracket, with what they are worth now."""

    bracket: Bracket
    quote: Quote | None
    result: Decimal | None
    result_r: Decimal | None


@dataclass(frozen=True, slots=True)
class OpenView:
    """Everything open at one desk. `age_s` is how old the venue's word is."""

    mode: Mode
    positions: tuple[Position, ...]
    pending: tuple[Bracket, ...]
    orders: tuple[OpenOrder, ...]
    age_s: float
    complete: bool
    """False where the venue's lists came only in part."""
    quotes: tuple[Quote, ...]


async def looked(desk: Desk, symbol: str | None = None) -> str:
    """Let a real venue tell what has traded since, and of when its word is; or that it cannot, and this is memory.

    A simulated one is read always: "".
    """
    if desk.mode is not Mode.LIVE:
        return ""
    if not desk.has_compared:
        # A desk whose books were not compared takes no orders, and a look would send some.
        return "Kraken's books were not compared with Zyn's yet: this is what Zyn had booked; more may have traded."
    base = symbol.partition("/")[0] if symbol is not None else None
    report = await desk.house.tick(desk, base)
    bases = {bracket.base for bracket in desk.ledger.unfinished(base)}
    read = min((at for one in bases if (at := desk.read_as_of(one)) is not None), default=None)
    at = read or desk.all_read[0]
    if report.has_read:
        age = f", {(desk.clock() - at).total_seconds():.0f} s old" if at is not None else ""
        return f"As Kraken's own books show it{age}."
    since = f"as it was at {at:%m-%d %H:%M:%S} UTC" if at is not None else "from before Zyn started"
    why = report.troubles[0] if report.troubles else "it did not answer"
    return f"Kraken could not be read ({why}): this is what Zyn had booked, {since}; more may have traded since."


async def view_open(desk: Desk, symbol: str | None = None) -> OpenView:
    """Read the venue and join. Raises VenueUnreadableError rather than showing memory as truth."""
    snapshot = await desk.snapshot(sparing=True)
    # What the venue has filled since the last tick is shown, not what we knew before it.
    brackets = [
        absorb(bracket, snapshot).bracket for bracket in desk.ledger.unfinished() if symbol in {None, bracket.symbol}
    ]
    quotes = await desk.quotes(bracket.symbol for bracket in brackets)
    orders = [*_resting(desk, snapshot, brackets, symbol), *_kept(snapshot, brackets)]
    return OpenView(
        mode=desk.mode,
        positions=tuple(_position(bracket, quotes.get(bracket.symbol)) for bracket in brackets if bracket.held > ZERO),
        pending=tuple(bracket for bracket in brackets if bracket.held <= ZERO),
        orders=tuple(sorted(orders, key=lambda order: (order.symbol, order.name))),
        age_s=(desk.clock() - snapshot.at).total_seconds(),
        complete=snapshot.complete,
        quotes=tuple(quotes.values()),
    )


def _resting(desk: Desk, snapshot: Snapshot, brackets: list[Bracket], symbol: str | None) -> list[OpenOrder]:
    ours = {order.client_id: order for bracket in brackets for order in bracket.orders}
    spawned = {order.venue_id: order for order in ours.values() if order.spawned > ZERO}
    found = []
    for shown in snapshot.open_orders:
        if symbol not in {None, shown.symbol}:
            continue
        order = ours.get(shown.client_id or "") or spawned.get(shown.venue_id)
        found.append(_of_venue(shown, order, where(desk, shown)))
    return found


def _of_venue(shown: VenueOrder, order: Order | None, whose: str) -> OpenOrder:
    price = shown.trigger_price if shown.trigger_price is not None else shown.limit_price
    return OpenOrder(
        name=shown.venue_id,
        role=order.role.value if order else "foreign",
        symbol=shown.symbol,
        side=shown.side.value,
        quantity=shown.quantity - shown.filled if order is None else order.remaining,
        filled=shown.filled,
        # Of an order of ours that was changed just now the list may still tell the former price; the ledger does not.
        price=price if order is None else order.price,
        kind=shown.type.value,
        where=whose if order is None else _how_it_rests(shown, is_ours=order.price == price),
    )


def _how_it_rests(shown: VenueOrder, *, is_ours: bool) -> str:
    if shown.triggered:
        return "reached, selling"
    return "resting" if is_ours else "resting, changed just now"


_WHERE = {
    OrderState.HELD: "held by Zyn",
    OrderState.SUBMITTING: "sent, unanswered",
    OrderState.OPEN: "taken by the venue, not in its list just now",
}


def _kept(snapshot: Snapshot, brackets: list[Bracket]) -> list[OpenOrder]:
    """Targets that Zyn keeps itself, and orders that the venue has taken or may have taken and does not list."""
    found = []
    for bracket in brackets:
        for order in bracket.orders:
            if snapshot.find(order) is not None or order.state not in _WHERE:
                continue
            kept = _WHERE[order.state]
            found.append(
                OpenOrder(
                    (order.venue_id or order.client_id) if order.is_live else order.client_id,
                    order.role.value,
                    bracket.symbol,
                    order.side.value,
                    order.remaining,
                    order.filled,
                    order.price,
                    OrderType.LIMIT.value if order.role is Role.TARGET else order.type.value,
                    kept,
                )
            )
    return found


def _position(bracket: Bracket, quote: Quote | None) -> Position:
    """The open result at the bid, the entry's share of fees included."""
    entry = bracket.entry
    if quote is None or entry is None or entry.received <= ZERO:
        return Position(bracket, quote, None, None)
    spent = divide(times(entry.cost + entry.fee, bracket.held), entry.received)
    result = times(bracket.held, quote.bid) - spent
    risk = times(bracket.risk_per_unit or ZERO, bracket.held)
    return Position(bracket, quote, result, divide(result, risk) if risk > ZERO else None)
