"""Brackets, orders and fills as values, for tests of what is stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.brackets import Bracket, BracketState, ExitReason, Leave, Level, LevelUnit
from core.domain.events import Event, EventKind
from core.domain.modes import Mode, Source
from core.domain.orders import Fill, Order, OrderState, OrderType, Role, Side, TimeInForce
from core.lifecycle.decide import Decision

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def bracket(number: int = 1, symbol: str = "ZEC/USD", mode: Mode = Mode.PAPER) -> Bracket:
    """One that has asked for nothing yet."""
    return Bracket(
        id=f"zy{number:08d}",
        mode=mode,
        symbol=symbol,
        source=Source.COMMAND,
        created_at=later(number),
        quantity=Decimal("0.04"),
        entry_type=OrderType.MARKET,
        stop=Level(Decimal(1), LevelUnit.PERCENT),
        target=Level(Decimal(2), LevelUnit.PERCENT, is_default=True),
    )


def order(of: Bracket, number: int, role: Role = Role.ENTRY, state: OrderState = OrderState.SUBMITTING) -> Order:
    """One that is on its way."""
    return Order(
        client_id=f"{of.id}-{number}",
        bracket_id=of.id,
        role=role,
        side=Side.BUY if role is Role.ENTRY else Side.SELL,
        type=OrderType.STOP_LOSS if role is Role.STOP else OrderType.MARKET,
        quantity=Decimal("0.04"),
        state=state,
        created_at=of.created_at,
        deadline=of.created_at + timedelta(seconds=10),
    )


def filled(one: Order, at: datetime, price: str = "512.01", quantity: str | None = None) -> Order:
    """The order after one more fill; FILLED when nothing remains."""
    amount = Decimal(quantity) if quantity else one.remaining
    cost = Decimal(price) * amount
    fill = Fill(f"PX-{one.client_id}:{len(one.fills)}", one.client_id, Decimal(price), amount, cost, cost / 250, at)
    total = one.filled + amount
    return replace(
        one,
        state=OrderState.FILLED if total == one.quantity else OrderState.OPEN,
        venue_id=f"PX-{one.client_id}",
        filled=total,
        cost=one.cost + cost,
        fee=one.fee + fill.fee,
        filled_at=at,
        fills=(*one.fills, fill),
    )


def full_bracket(number: int = 1) -> Bracket:
    """One with every field set, so that a forgotten column shows."""
    plain = bracket(number)
    entry = filled(filled(order(plain, 1), later(3), quantity="0.01"), later(4), "512.07")
    stop = replace(
        order(plain, 2, Role.STOP, OrderState.OPEN),
        trigger_price=Decimal("506.88"),
        venue_id="PX-000002",
        missing_since=AT,
        amended_at=AT,
        former_quantity=Decimal("0.03"),
        former_price=Decimal("505.10"),
        reason="seen once",
    )
    target = replace(
        order(plain, 3, Role.TARGET, OrderState.HELD),
        type=OrderType.LIMIT,
        limit_price=Decimal("522.25"),
        time_in_force=TimeInForce.IOC,
    )
    return replace(
        plain,
        entry_type=OrderType.LIMIT,
        limit_price=Decimal("512.50"),
        atr=Decimal("3.1234567890123456789"),
        state=BracketState.OPEN,
        orders=(entry, stop, target),
        stop_price=Decimal("506.88"),
        target_price=Decimal("522.25"),
        risk_per_unit=Decimal("5.13"),
        leave=Leave(Decimal("0.02"), ExitReason.FLATTEN, Decimal("0.01"), later(9)),
        cancel_entry=True,
        target_held=True,
        trail=Level(Decimal("1.5"), LevelUnit.ATR),
        trail_high=Decimal("519.10"),
        unprotected_since=later(5),
        unprotected_s=2.5,
        protect_failures=2,
        protect_retry_at=later(7),
        target_failures=3,
        target_retry_at=later(8),
    )


def closed(one: Bracket) -> Bracket:
    """The same, over."""
    return replace(
        one,
        state=BracketState.CLOSED,
        leave=None,
        closed_at=later(60),
        close_reason=ExitReason.STOP,
        result_quote=Decimal("-0.2871"),
        result_r=Decimal("-1.39"),
        gone=Decimal("0.00000001"),
    )


def saved_as(before: Bracket, after: Bracket, *events: Event) -> Decision:
    """A decision that changes `before` to `after`."""
    return Decision(before, after, (), (), events)


def news(text: str, mode: Mode = Mode.PAPER) -> Event:
    """An alert."""
    return Event(EventKind.ENTRY_FILLED, mode, AT, text, "ZEC/USD", "zy00000001")
