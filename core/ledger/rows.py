"""The corner where rows become values and values rows."""

from typing import Any

from sqlalchemy import Row, Table

from core.domain.brackets import Bracket, BracketState, ExitReason, Leave, Level, LevelUnit
from core.domain.events import Event
from core.domain.instruments import Instrument
from core.domain.modes import Mode, Source
from core.domain.orders import Fill, Order, OrderState, OrderType, Role, Side, TimeInForce
from storage import tables

Values = dict[str, Any]

BRACKETS: Table = tables.metadata.tables["bracket"]
ORDERS: Table = tables.metadata.tables["orders"]
FILLS: Table = tables.metadata.tables["fill"]
VENUE_FILLS: Table = tables.metadata.tables["venue_fill"]
ALERTS: Table = tables.metadata.tables["alert"]
SETTINGS: Table = tables.metadata.tables["setting"]
INSTRUMENTS: Table = tables.metadata.tables["instrument"]
INCIDENTS: Table = tables.metadata.tables["incident"]
INBOX: Table = tables.metadata.tables["inbox"]
CHATS: Table = tables.metadata.tables["chat"]
PROPOSALS: Table = tables.metadata.tables["proposal"]
EVALUATIONS: Table = tables.metadata.tables["evaluation"]
CONVERSATION: Table = tables.metadata.tables["conversation"]
PAPER_ORDERS: Table = tables.metadata.tables["paper_order"]
PAPER_FILLS: Table = tables.metadata.tables["paper_fill"]
PAPER_BALANCES: Table = tables.metadata.tables["paper_balance"]
PAPER_CURSORS: Table = tables.metadata.tables["paper_cursor"]
CANDLES: Table = tables.metadata.tables["candle"]

_SAME_IN_BRACKET = (
    "id", "symbol", "created_at", "quantity", "limit_price", "atr", "stop_price", "target_price", "risk_per_unit",
    "cancel_entry", "target_held", "unprotected_since", "unprotected_s", "protect_failures", "protect_retry_at",
    "target_failures", "target_retry_at", "closed_at", "result_quote", "result_r", "gone", "trail_high",
)  # fmt: skip
_SAME_IN_ORDER = (
    "client_id", "bracket_id", "quantity", "created_at", "deadline", "limit_price", "trigger_price", "venue_id",
    "filled", "cost", "fee", "filled_at", "missing_since", "amended_at", "former_quantity",
    "former_price", "triggered_at", "cancel_asked", "spawned", "base_fee",
    "reason",
)  # fmt: skip
_SAME_IN_FILL = ("id", "order_id", "price", "quantity", "cost", "fee", "at", "caught_up")
_SAME_IN_INSTRUMENT = ("symbol", "venue_name", "tick_size", "lot_size", "order_min", "cost_min", "status")
REASON_LENGTH = 255


def bracket_to_row(bracket: Bracket) -> Values:
    """All columns of the bracket's row."""
    leave = bracket.leave
    return {name: getattr(bracket, name) for name in _SAME_IN_BRACKET} | {
        "mode": bracket.mode.value,
        "source": bracket.source.value,
        "state": bracket.state.value,
        "entry_type": bracket.entry_type.value,
        "stop_value": bracket.stop.value,
        "stop_unit": bracket.stop.unit.value,
        "stop_is_default": bracket.stop.is_default,
        "target_value": bracket.target.value,
        "target_unit": bracket.target.unit.value,
        "target_is_default": bracket.target.is_default,
        "trail_value": bracket.trail.value if bracket.trail else None,
        "trail_unit": bracket.trail.unit.value if bracket.trail else None,
        "leave_quantity": leave.quantity if leave else None,
        "leave_reason": leave.reason.value if leave else None,
        "leave_sold_before": leave.sold_before if leave else None,
        "leave_asked_at": leave.asked_at if leave else None,
        "close_reason": bracket.close_reason.value if bracket.close_reason else None,
    }


def bracket_from_row(row: Row[Any], orders: tuple[Order, ...]) -> Bracket:
    """The bracket with its orders, oldest first."""
    values = row._mapping
    leave = None
    if values["leave_quantity"] is not None:
        leave = Leave(
            values["leave_quantity"],
            ExitReason(values["leave_reason"]),
            values["leave_sold_before"],
            values["leave_asked_at"],
        )
    return Bracket(
        **{name: values[name] for name in _SAME_IN_BRACKET},
        mode=Mode(values["mode"]),
        source=Source(values["source"]),
        state=BracketState(values["state"]),
        entry_type=OrderType(values["entry_type"]),
        stop=Level(values["stop_value"], LevelUnit(values["stop_unit"]), values["stop_is_default"]),
        target=Level(values["target_value"], LevelUnit(values["target_unit"]), values["target_is_default"]),
        trail=Level(values["trail_value"], LevelUnit(values["trail_unit"])) if values["trail_unit"] else None,
        leave=leave,
        close_reason=ExitReason(values["close_reason"]) if values["close_reason"] else None,
        orders=orders,
    )


def order_to_row(order: Order, bracket: Bracket) -> Values:
    """All columns of the order's row."""
    return {name: getattr(order, name) for name in _SAME_IN_ORDER} | {
        "reason": order.reason[:REASON_LENGTH],
        "mode": bracket.mode.value,
        "symbol": bracket.symbol,
        "role": order.role.value,
        "side": order.side.value,
        "type": order.type.value,
        "state": order.state.value,
        "time_in_force": order.time_in_force.value,
    }


def order_from_row(row: Row[Any], fills: tuple[Fill, ...]) -> Order:
    """The order with its fills."""
    values = row._mapping
    return Order(
        **{name: values[name] for name in _SAME_IN_ORDER},
        role=Role(values["role"]),
        side=Side(values["side"]),
        type=OrderType(values["type"]),
        state=OrderState(values["state"]),
        time_in_force=TimeInForce(values["time_in_force"]),
        fills=fills,
    )


def fill_to_row(fill: Fill) -> Values:
    """The columns that a fill has in both books; the ledger adds the mode, the venue its own order id."""
    return {name: getattr(fill, name) for name in _SAME_IN_FILL}


def fill_from_row(row: Row[Any]) -> Fill:
    """One fill of the ledger."""
    return Fill(**{name: row._mapping[name] for name in _SAME_IN_FILL})


def event_to_row(event: Event) -> Values:
    """An outbox row that waits for delivery."""
    return {
        "mode": event.mode.value,
        "kind": event.kind.value,
        "at": event.at,
        "text": event.text,
        "symbol": event.symbol,
        "bracket_id": event.bracket_id,
        "state": "waiting",
        "attempts": 0,
    }


def instrument_from_row(row: Row[Any]) -> Instrument:
    """A stored instrument."""
    return Instrument(**{name: row._mapping[name] for name in _SAME_IN_INSTRUMENT})


def instrument_to_row(instrument: Instrument) -> Values:
    """The columns of an instrument but for the date of its reading."""
    return {name: getattr(instrument, name) for name in _SAME_IN_INSTRUMENT}
