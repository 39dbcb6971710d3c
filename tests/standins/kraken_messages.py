"""What the WebSockets of the stand-in say. Numbers are numbers here, and times are written out."""

from datetime import datetime
from decimal import Decimal

from core.domain.money import ZERO, divide
from core.domain.orders import OrderType
from core.domain.venue import VenueOrder
from tests.standins.kraken_account_state import plain_symbol
from tests.standins.kraken_public import Pair
from tests.standins.kraken_records import Json, Record, Trade

STATUSES = {"pending_new": "pending_new", "new": "new", "amended": "new", "filled": "filled", "canceled": "canceled"}


def moment(at: datetime) -> str:
    """A time as v2 writes it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def ticker_message(kind: str, pair: Pair, now: datetime) -> Json:
    """The prices of one pair."""
    bid, ask, last = (float(price) for price in (pair.bid, pair.ask, pair.last))
    row = {
        "symbol": plain_symbol(pair),
        "bid": bid,
        "bid_qty": 1.0,
        "ask": ask,
        "ask_qty": 1.0,
        "last": last,
        "volume": 1.0,
        "vwap": last,
        "low": last,
        "high": last,
        "change": 0.0,
        "change_pct": 0.0,
        "timestamp": moment(now),
    }
    return {"channel": "ticker", "type": kind, "data": [row]}


def order_message(kind: str, record: Record, order: VenueOrder) -> Json:
    """A whole order: in a snapshot, and when it is new."""
    row: Json = {
        "order_id": order.venue_id,
        "order_userref": record.userref or 0,
        "symbol": order.symbol,
        "order_qty": float(order.quantity),
        "cum_qty": float(order.filled),
        "cum_cost": float(order.cost),
        "time_in_force": record.order.time_in_force.value,
        "exec_type": kind,
        "side": order.side.value,
        "order_type": order.type.value,
        "order_status": "partially_filled" if order.filled else STATUSES[kind],
        "fee_usd_equiv": float(order.fee),
        "fee_ccy_pref": "fciq",
        "timestamp": moment(order.opened_at),
    }
    if order.type is OrderType.LIMIT:
        row |= {"limit_price_type": "static", "limit_price": float(order.limit_price or ZERO)}
    if order.type is OrderType.STOP_LOSS:
        status = "triggered" if record.order.triggered else "untriggered"
        trigger = {"reference": "last", "price": float(order.trigger_price or ZERO), "price_type": "static"}
        row |= {"stop_price": trigger["price"], "triggers": {**trigger, "status": status}}
    return row | _names(order)


def trade_message(record: Record, order: VenueOrder, trade: Trade) -> Json:
    """One execution. It says partially filled even when it fills the order: the end is told apart."""
    row: Json = {
        "order_id": trade.order_id,
        "exec_id": trade.id,
        "exec_type": "trade",
        "trade_id": trade.number,
        "symbol": order.symbol,
        "side": order.side.value,
        "last_qty": float(trade.quantity),
        "last_price": float(trade.price),
        "liquidity_ind": "m" if trade.maker else "t",
        "cost": float(trade.cost),
        "order_userref": record.userref or 0,
        "order_status": "partially_filled",
        "order_type": order.type.value,
        "cum_qty": float(order.filled),
        "cum_cost": float(order.cost),
        "avg_price": _average(order),
        "fee_usd_equiv": float(trade.fee),
        "fees": [{"asset": order.symbol.partition("/")[2], "qty": float(trade.fee)}],
        "timestamp": moment(trade.at),
    }
    return row | _names(order)


def update_message(kind: str, order: VenueOrder, now: datetime) -> Json:
    """An order's end or amendment: what has changed and no more, its symbol not included."""
    row: Json = {
        "timestamp": moment(now),
        "order_id": order.venue_id,
        "exec_type": kind,
        "order_status": STATUSES[kind],
        "order_userref": 0,
        "cum_qty": float(order.filled),
        "cum_cost": float(order.cost),
        "avg_price": _average(order),
        "fee_usd_equiv": float(order.fee),
    }
    if kind == "amended":
        prices = {"limit_price": order.limit_price, "stop_price": order.trigger_price, "order_qty": order.quantity}
        row |= {name: float(value) for name, value in prices.items() if value is not None}
    if kind == "canceled":
        row |= {"cancel_reason": order.reason, "reason": order.reason}
    return row | _names(order)


def _names(order: VenueOrder) -> Json:
    return {} if order.client_id is None else {"cl_ord_id": order.client_id}


def _average(order: VenueOrder) -> float:
    average: Decimal = divide(order.cost, order.filled) if order.filled else ZERO
    return float(average)
