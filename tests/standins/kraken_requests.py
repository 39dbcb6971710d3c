"""What a request for an order says, read as strictly as Kraken reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from core.domain.orders import OrderType, Side, TimeInForce
from tests.standins.kraken_public import ApiError
from tests.standins.kraken_records import Close

INVALID = "EGeneral:Invalid arguments"
DEADLINE_MIN = timedelta(seconds=2)
DEADLINE_MAX = timedelta(seconds=60)
CLIENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[!-~]{1,18}", re.IGNORECASE)

Params = Mapping[str, str]
Word = TypeVar("Word", Side, OrderType, TimeInForce)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """AddOrder as values. `price` is the limit's or the stop's trigger."""

    pair: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    client_id: str | None = None
    userref: int | None = None
    oflags: str = "fciq"
    close: Close | None = None
    deadline: datetime | None = None
    validate: bool = False

    @property
    def post_only(self) -> bool:
        """True when it must not trade on arrival."""
        return "post" in self.oflags.split(",")


def order_request(params: Params, now: datetime) -> OrderRequest:
    """AddOrder's parameters as values. Raises ApiError in Kraken's words."""
    kind = _choice(OrderType, params, "ordertype")
    price = decimal(params, "price")
    if (price is None) is not (kind is OrderType.MARKET):
        raise ApiError(f"{INVALID}:price")
    return OrderRequest(
        pair=params.get("pair", ""),
        side=_side(params, kind),
        type=kind,
        quantity=_needed(decimal(params, "volume"), "volume"),
        price=price,
        time_in_force=TimeInForce.GTC if "timeinforce" not in params else _choice(TimeInForce, params, "timeinforce"),
        client_id=_client_id(params),
        userref=int(params["userref"]) if params.get("userref") else None,
        oflags=_oflags(params),
        close=_close(params),
        deadline=deadline_of(params, now),
        validate=params.get("validate", "").lower() in {"true", "1"},
    )


def decimal(params: Params, name: str) -> Decimal | None:
    """A number of the request, None when it is not there. Raises ApiError for one that is none."""
    text = params.get(name)
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        raise ApiError(f"{INVALID}:{name}")
    return value


def deadline_of(params: Params, now: datetime) -> datetime | None:
    """The request's deadline on the venue's clock. Raises ApiError for one that is over, too near or too far."""
    if not params.get("deadline"):
        return None
    try:
        deadline = datetime.fromisoformat(params["deadline"])
    except ValueError:
        raise ApiError(f"{INVALID}:deadline") from None
    if deadline.tzinfo is None:
        raise ApiError(f"{INVALID}:deadline")
    if deadline < now:
        raise ApiError("EService:Deadline elapsed")
    if not DEADLINE_MIN <= deadline - now <= DEADLINE_MAX:
        raise ApiError(f"{INVALID}:deadline")
    return deadline


def _client_id(params: Params) -> str | None:
    name = params.get("cl_ord_id")
    if not name:
        return None
    if params.get("userref") or CLIENT_ID.fullmatch(name) is None:
        raise ApiError(f"{INVALID}:cl_ord_id")
    return name


def _side(params: Params, kind: OrderType) -> Side:
    side = _choice(Side, params, "type")
    if kind is OrderType.STOP_LOSS and side is Side.BUY:
        raise ApiError(f"{INVALID}:ordertype")
    return side


def _oflags(params: Params) -> str:
    flags = [flag for flag in params.get("oflags", "").split(",") if flag]
    if set(flags) - {"post", "fciq", "fcib"} or {"fciq", "fcib"} <= set(flags):
        raise ApiError(f"{INVALID}:oflags")
    return ",".join(flags if {"fciq", "fcib"} & set(flags) else [*flags, "fciq"])


def _close(params: Params) -> Close | None:
    if not params.get("close[ordertype]"):
        return None
    kind = _choice(OrderType, params, "close[ordertype]")
    if kind is OrderType.MARKET or params.get("close[price2]"):
        raise ApiError(f"{INVALID}:close")
    return Close(kind, _needed(decimal(params, "close[price]"), "close[price]"))


def _choice(kind: type[Word], params: Params, name: str) -> Word:
    try:
        return kind(params.get(name, ""))
    except ValueError:
        raise ApiError(f"{INVALID}:{name}") from None


def _needed(value: Decimal | None, name: str) -> Decimal:
    if value is None:
        raise ApiError(f"{INVALID}:{name}")
    return value
