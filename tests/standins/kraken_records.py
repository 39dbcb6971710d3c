"""What the account's stand-in remembers of an order, and how Kraken writes it: numbers as text, times as seconds."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal

from core.domain.money import ZERO, divide
from core.domain.orders import OrderType
from core.domain.venue import VenueOrder, VenueState
from core.exchange.books import PaperOrder
from tests.standins.kraken_public import Pair

Json = dict[str, object]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CONTEXT = Context(prec=60)
_EXACT = 10


@dataclass(slots=True)
class Spelling:
    """How the lists write what Kraken's documentation leaves open."""

    money_decimals: int | None = None
    """Cut money to so many decimals, as Kraken does; None shows every digit, so that sums agree."""
    pending_stops: bool = False
    """An untriggered stop's status is "pending" instead of "open"."""
    named_children: bool = False
    """A child shows its parent's cl_ord_id."""


@dataclass(frozen=True, slots=True)
class Close:
    """The conditional close of an order: what each of its fills spawns."""

    type: OrderType
    price: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution, as TradesHistory has it. `number` counts them."""

    id: str
    number: int
    order_id: str
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    maker: bool
    at: datetime
    due: float
    """On the monotonic clock: from then on the lists show it."""
    base_fee: Decimal = ZERO
    """What it cost in coins instead of quote."""


@dataclass(frozen=True, slots=True)
class Shot:
    """How an order looks in the lists from the moment `due` on."""

    due: float
    order: VenueOrder
    triggered: bool
    trades: int
    closed_at: datetime | None


@dataclass(slots=True)
class Record:
    """One order for good, with everything that the lists show of it, now and then."""

    order: PaperOrder
    pair: Pair
    touched_at: float
    """On the monotonic clock: when it was placed or amended last."""
    oflags: str = "fciq"
    userref: int | None = None
    close: Close | None = None
    deadline: datetime | None = None
    trades: list[Trade] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The venue's id."""
        return self.order.shown.venue_id

    def show(self, order: PaperOrder, due: float, closed_at: datetime | None) -> None:
        """Let the lists show this state from `due` on, but never before an earlier one."""
        self.order = order
        due = max([due, *(shot.due for shot in self.shots[-1:])])
        self.shots.append(Shot(due, order.shown, order.triggered, len(self.trades), closed_at))

    def seen(self, now: float) -> Shot | None:
        """What the lists show now, None while they do not show the order at all."""
        return next((shot for shot in reversed(self.shots) if shot.due <= now), None)


def identifier(prefix: str, number: int) -> str:
    """An id in Kraken's form, the same one for the same number."""
    digest = hashlib.sha256(f"{prefix}{number}".encode()).digest()
    letters = prefix + "".join(_LETTERS[byte % 32] for byte in digest[:17])
    return f"{letters[:6]}-{letters[6:11]}-{letters[11:17]}"


def described(order: VenueOrder, pair: Pair, close: Close | None) -> Json:
    """The `descr` of an order."""
    price = order.trigger_price or order.limit_price
    text = places(price, pair.pair_decimals) if price is not None else "0"
    kind = _spaced(order.type) + ("" if price is None else f" {text}")
    return {
        "pair": pair.altname,
        "type": order.side.value,
        "ordertype": order.type.value,
        "price": text,
        "price2": "0",
        "leverage": "none",
        "order": f"{order.side.value} {places(order.quantity, pair.lot_decimals)} {pair.altname} @ {kind}",
        "close": ""
        if close is None
        else f"close position @ {_spaced(close.type)} {places(close.price, pair.pair_decimals)}",
    }


def _close_text(close: Close, pair: Pair) -> str:
    return f"close position @ {_spaced(close.type)} {places(close.price, pair.pair_decimals)}"


def _spaced(kind: OrderType) -> str:
    return kind.value.replace("-", " ")


def order_row(record: Record, shot: Shot, spelling: Spelling, parents_name: str | None) -> Json:
    """One order as the lists write it."""
    order, decimals = shot.order, spelling.money_decimals
    average = divide(order.cost, order.filled) if order.filled else ZERO
    row: Json = {
        "refid": order.parent_id,
        "userref": record.userref,
        "status": _status(shot, spelling),
        "opentm": seconds(order.opened_at),
        "starttm": 0,
        "expiretm": 0,
        "descr": described(order, record.pair, record.close),
        "vol": places(order.quantity, record.pair.lot_decimals),
        "vol_exec": places(order.filled, record.pair.lot_decimals),
        "cost": money(order.cost, decimals),
        "fee": money(order.fee, decimals),
        "price": money(average, decimals),
        "stopprice": money(order.trigger_price or ZERO if shot.triggered else ZERO, decimals),
        "limitprice": money(ZERO, decimals),
        "misc": _misc(shot),
        "oflags": record.oflags,
    }
    name = parents_name if spelling.named_children and order.parent_id else order.client_id
    if name is not None:
        row["cl_ord_id"] = name
    if order.state is not VenueState.OPEN:
        row |= {"reason": order.reason or None, "closetm": seconds(shot.closed_at or order.opened_at)}
    return row


def _status(shot: Shot, spelling: Spelling) -> str:
    sleeps = shot.order.type is OrderType.STOP_LOSS and not shot.triggered
    is_open = shot.order.state is VenueState.OPEN
    return "pending" if spelling.pending_stops and sleeps and is_open else shot.order.state.value


def _misc(shot: Shot) -> str:
    words = ["stopped"] if shot.triggered else []
    return ",".join([*words, "partial"] if shot.order.state is VenueState.CANCELED and shot.order.filled else words)


def trade_row(trade: Trade, record: Record, decimals: int | None) -> Json:
    """One execution as TradesHistory writes it."""
    shown = record.order.shown
    return {
        "ordertxid": trade.order_id,
        "postxid": identifier("TK", trade.number),
        "pair": record.pair.key,
        "time": seconds(trade.at),
        "type": shown.side.value,
        "ordertype": shown.type.value,
        "price": money(trade.price, decimals),
        "cost": money(trade.cost, decimals),
        "fee": money(trade.fee, decimals),
        "vol": places(trade.quantity, record.pair.lot_decimals),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": trade.number,
        "maker": trade.maker,
    }


def seconds(at: datetime) -> float:
    """Seconds since 1970, to the microsecond."""
    return round(at.timestamp(), 6)


def places(value: Decimal, decimals: int) -> str:
    """With so many decimals, or with more when it has them: no digit is lost."""
    exponent = value.as_tuple().exponent
    own = -exponent if isinstance(exponent, int) else 0
    return format(value, f".{decimals}f") if own <= decimals else format(value.normalize(_CONTEXT), "f")


def money(value: Decimal, decimals: int | None) -> str:
    """An amount of quote currency: cut to `decimals`, or with every digit up to the tenth and at least five."""
    if decimals is not None:
        return format(value.quantize(_step(decimals), ROUND_DOWN, _CONTEXT), "f")
    exact = value.quantize(_step(_EXACT), ROUND_HALF_EVEN, _CONTEXT)
    return places(exact.normalize(_CONTEXT), 5)


def _step(decimals: int) -> Decimal:
    return Decimal((0, (1,), -decimals))
