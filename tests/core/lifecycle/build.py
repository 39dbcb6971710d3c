"""Brackets and a venue of a few lines for the pure rules: the venue does what it is told and shows it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.brackets import Bracket, Level, LevelUnit
from core.domain.events import EventKind
from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.modes import Mode, Source, TargetMode
from core.domain.orders import OrderType, TimeInForce
from core.domain.venue import Accepted, Action, Amend, Cancel, Outcome, Snapshot, Submit, VenueOrder, VenueState
from core.lifecycle.decide import Decision, decide
from core.lifecycle.note import note
from core.lifecycle.rules import Rules

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZEC = Instrument("ZEC/USD", Decimal("0.01"), Decimal("0.00000001"), Decimal("0.01"), Decimal("0.5"))
D = Decimal
HUNDRED = D(100)


def bracket(quantity: str = "1", *, limit: str | None = None, stop: str = "1", target: str = "2") -> Bracket:
    """A fresh intent to buy ZEC/USD with a stop and a target in percent."""
    return Bracket(
        id="zy00000001",
        mode=Mode.PAPER,
        symbol="ZEC/USD",
        source=Source.COMMAND,
        created_at=NOW,
        quantity=D(quantity),
        entry_type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit_price=D(limit) if limit else None,
        stop=Level(D(stop), LevelUnit.PERCENT),
        target=Level(D(target), LevelUnit.PERCENT),
    )


@dataclass
class World:
    """One bracket, one venue, one clock. `step` decides, performs and notes until nothing is left to do."""

    bracket: Bracket
    target_mode: TargetMode = TargetMode.EMULATED
    now: datetime = NOW
    last: Decimal = HUNDRED
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    answers: dict[str, Outcome] = field(default_factory=dict)
    """What to answer to the next action of a kind ("submit stop", "cancel stop") instead of doing it."""
    history: list[Action] = field(default_factory=list)
    told: list[tuple[EventKind, str]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    complete: bool = True

    @property
    def rules(self) -> Rules:
        return Rules(ZEC, target_mode=self.target_mode)

    @property
    def quote(self) -> Quote:
        return Quote("ZEC/USD", self.last, self.last, self.last, self.now, "test")

    def snapshot(self) -> Snapshot:
        shown = {name: order for name, order in self.orders.items() if name not in self.hidden}
        return Snapshot(self.now, self.now, complete=self.complete, orders=shown)

    def decide(self) -> Decision:
        return decide(self.bracket, self.snapshot(), self.quote, self.now, self.rules)

    def step(self, rounds: int = 8) -> list[Action]:
        """Ticks until a decision changes nothing; returns the actions that were sent."""
        sent: list[Action] = []
        for _ in range(rounds):
            decision = self.decide()
            self.told += [(event.kind, event.text) for event in decision.events]
            self.bracket = decision.after
            if not decision.changed:
                return sent
            for action in decision.actions:
                sent.append(action)
                self.perform(action)
        raise AssertionError(f"still busy after {rounds} rounds: {sent[-3:]}")

    def perform(self, action: Action) -> None:
        self.history.append(action)
        key = f"{type(action).__name__.lower()} {action.order.role}"
        outcome = self.answers[key] if key in self.answers else self._do(action)
        noted = note(self.bracket, action, outcome, self.now, self.rules)
        self.told += [(event.kind, event.text) for event in noted.events]
        self.bracket = noted.after

    def _do(self, action: Action) -> Outcome:
        order = action.order
        if isinstance(action, Submit):
            self.orders[order.client_id] = VenueOrder(
                f"V{len(self.orders) + 1}", order.client_id, action.symbol, order.side, order.type, order.quantity,
                VenueState.OPEN, self.now, order.limit_price, order.trigger_price,
            )  # fmt: skip
            if order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC:
                self.fill(order.client_id)
        elif isinstance(action, Cancel):
            self.orders[order.client_id] = replace(self.orders[order.client_id], state=VenueState.CANCELED)
        elif isinstance(action, Amend):
            self.orders[order.client_id] = replace(
                self.orders[order.client_id],
                quantity=action.quantity,
                limit_price=action.limit_price,
                trigger_price=action.trigger_price,
            )
        return Accepted(self.orders[order.client_id].venue_id)

    def fill(self, name: str, quantity: str | None = None, price: str | None = None) -> None:
        """The venue executes an order, wholly or in part."""
        order = self.orders[name]
        amount = order.quantity - order.filled if quantity is None else D(quantity)
        at = D(price) if price else self.last
        filled = order.filled + amount
        state = VenueState.CLOSED if filled >= order.quantity else order.state
        self.orders[name] = replace(
            order, filled=filled, cost=order.cost + amount * at, fee=order.fee + amount * at / 250, state=state,
            filled_at=self.now,
        )  # fmt: skip

    def end(self, name: str, reason: str = "") -> None:
        """The venue, or somebody's hand, cancels an order."""
        self.orders[name] = replace(self.orders[name], state=VenueState.CANCELED, reason=reason)

    def pass_s(self, seconds: float) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)

    def of(self, role: str) -> list[str]:
        """Names of the bracket's orders of a role."""
        return [order.client_id for order in self.bracket.orders if order.role == role]

    def kinds(self) -> list[EventKind]:
        """What was told, by kind."""
        return [kind for kind, _ in self.told]
