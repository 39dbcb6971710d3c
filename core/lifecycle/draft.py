"""PURE. The sheet on which one decision is written: a bracket that changes, and what follows from it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.events import Event, EventKind
from core.domain.market import Quote
from core.domain.money import ZERO
from core.domain.orders import Order, OrderState, OrderType, Role, Side, TimeInForce
from core.domain.venue import Action, Cancel, Snapshot
from core.lifecycle.absorb import next_number
from core.lifecycle.rules import Rules


@dataclass(slots=True)
class Draft:
    """Local to one call of `decide`; nothing outside ever sees it."""

    bracket: Bracket
    quote: Quote | None
    now: datetime
    rules: Rules
    snapshot: Snapshot | None = None
    """What the venue shows, where this is a decision; None where an answer is noted."""
    actions: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def tell(self, kind: EventKind, text: str) -> None:
        """Write an alert."""
        bracket = self.bracket
        self.events.append(Event(kind, bracket.mode, self.now, text, bracket.symbol, bracket.id))

    def put(self, order: Order) -> None:
        """Replace the order of the same name, or append a new one."""
        orders = list(self.bracket.orders)
        for index, known in enumerate(orders):
            if known.client_id == order.client_id:
                orders[index] = order
                break
        else:
            orders.append(order)
        self.bracket = replace(self.bracket, orders=tuple(orders))

    def new_order(
        self,
        role: Role,
        kind: OrderType,
        quantity: Decimal,
        *,
        state: OrderState = OrderState.SUBMITTING,
        limit_price: Decimal | None = None,
        trigger_price: Decimal | None = None,
    ) -> Order:
        """A fresh order of this bracket, recorded. Its name comes from the bracket's, so it is never used twice."""
        bracket = self.bracket
        order = Order(
            client_id=f"{bracket.id}-{next_number(bracket)}",
            bracket_id=bracket.id,
            role=role,
            side=Side.BUY if role is Role.ENTRY else Side.SELL,
            type=kind,
            quantity=quantity,
            state=state,
            created_at=self.now,
            deadline=self.deadline,
            limit_price=limit_price,
            trigger_price=trigger_price,
        )
        self.put(order)
        return order

    def cancel(self, order: Order) -> None:
        """Take an order back, and remember that it was us who asked."""
        asked = replace(order, cancel_asked=True)
        self.put(asked)
        self.actions.append(Cancel(asked, self.bracket.symbol))

    @property
    def deadline(self) -> datetime:
        """Past this moment an order sent now can no longer arrive."""
        return self.now + timedelta(seconds=self.rules.submit_deadline_s)

    @property
    def fresh_quote(self) -> Quote | None:
        """The quote, if it is young enough to act on."""
        quote = self.quote
        if quote is None or quote.age_s(self.now) > self.rules.quote_age_max_s:
            return None
        return quote

    def live(self, *roles: Role) -> list[Order]:
        """Orders of these roles that may be at the venue."""
        return [order for order in self.bracket.orders if order.role in roles and order.is_live]

    def stops(self) -> list[Order]:
        """Stops that may rest."""
        return self.live(Role.STOP)

    def stuck_stop(self) -> Order | None:
        """A stop that the venue has shown as reached for too long, and that still has something to sell."""
        after = timedelta(seconds=self.rules.stuck_after_s)
        return next(
            (one for one in self.stops() if one.triggered_at is not None and self.now - one.triggered_at > after), None
        )

    def resting_targets(self) -> list[Order]:
        """Targets that may rest at the venue (an emulated target that fires is an exit, not one of these)."""
        return [order for order in self.live(Role.TARGET) if order.time_in_force is TimeInForce.GTC]

    def exits(self) -> list[Order]:
        """Sales under way: exits, and emulated targets that fired."""
        return list(self.bracket.sales_under_way)

    def unseen_children(self) -> Decimal:
        """Quantity of stops that fills of the entry must have spawned and that may still show up."""
        entry = self.bracket.entry
        if not self.rules.attach_stop or entry is None or entry.filled_at is None:
            return ZERO
        grace = timedelta(seconds=self.rules.child_grace_s)
        shown = self.snapshot
        # One that has sold already is found only by who asks for its parent, however long the fill is ago.
        if shown is not None and shown.shows_children_of(entry.venue_id) and shown.began_at - entry.filled_at >= grace:
            return ZERO
        return max(ZERO, entry.filled - self.bracket.spawned)

    def is_unseen(self, orders: list[Order]) -> bool:
        """True when the snapshot lacks one of these: it may have traded on arrival, and nobody can say how much."""
        return self.snapshot is not None and any(self.snapshot.find(order) is None for order in orders)

    def held_target(self) -> Order | None:
        """The target that Zyn keeps itself, if there is one."""
        for order in self.bracket.orders:
            if order.state is OrderState.HELD:
                return order
        return None


def remaining(orders: list[Order]) -> Decimal:
    """What these orders could still trade."""
    total = ZERO
    for order in orders:
        total += order.remaining
    return total
