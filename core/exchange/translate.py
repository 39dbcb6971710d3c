"""PURE. Between our values and what Kraken's private endpoints take and send.

Prices and quantities travel as text, so that no digit is lost on the way. Everything that comes is checked: what is not
what Kraken documents raises VenueUnreadableError, since a book that was half understood is worse than none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.money import ZERO, divide, plain, times
from core.domain.orders import OUR_SIGN, Order, OrderType, Side, TimeInForce
from core.domain.venue import Amend, Balance, Cancel, Fees, Submit, VenueFill, VenueOrder, VenueState
from core.exchange.errors import VenueUnreadableError

Form = dict[str, str]
"""The fields of one request."""

_OLD_CODES = {
    "ZUSD": "USD", "ZEUR": "EUR", "ZGBP": "GBP", "ZCAD": "CAD", "ZJPY": "JPY", "ZAUD": "AUD", "XXBT": "BTC",
    "XETH": "ETH", "XXDG": "DOGE", "XLTC": "LTC", "XXRP": "XRP", "XXLM": "XLM", "XXMR": "XMR", "XZEC": "ZEC",
    "XETC": "ETC", "XREP": "REP", "XMLN": "MLN", "XBT": "BTC", "XDG": "DOGE",
}  # fmt: skip
"""Kraken's codes of its first coins and currencies. Later ones are called what everybody calls them."""
_KRAKENS_SPELLING = {"BTC": "XBT", "DOGE": "XDG"}
_STATES = {
    "pending": VenueState.OPEN, "open": VenueState.OPEN, "closed": VenueState.CLOSED,
    "canceled": VenueState.CANCELED, "expired": VenueState.CANCELED,
}  # fmt: skip
_KINDS = {
    "market": OrderType.MARKET, "limit": OrderType.LIMIT, "settle-position": OrderType.MARKET,
    "iceberg": OrderType.LIMIT,
}  # fmt: skip
_NO_SKEW = timedelta()
_DIGITS_MAX = 40
_MICROSECONDS = Decimal(1_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# -- what we send ------------------------------------------------------------------------------------------------


def add_order(action: Submit, instrument: Instrument, deadline: datetime, *, validate: bool = False) -> Form:
    """AddOrder for what is meant. `deadline` is on Kraken's clock; with `validate` nothing is placed.

    The fee is asked for in the quote currency, so that what was bought is what there is.
    """
    order = action.order
    form = {
        "pair": instrument.venue_name,
        "type": order.side.value,
        "ordertype": order.type.value,
        "volume": plain(order.quantity),
        "cl_ord_id": order.client_id,
        "oflags": "fciq",
        "deadline": rfc3339(deadline),
    }
    price = order.trigger_price if order.type is OrderType.STOP_LOSS else order.limit_price
    if order.type is not OrderType.MARKET:
        form["price"] = plain(_given(price, order))
    if order.time_in_force is TimeInForce.IOC:
        form["timeinforce"] = "IOC"
    if action.attached_stop is not None:
        form["close[ordertype]"] = OrderType.STOP_LOSS.value
        form["close[price]"] = plain(instrument.price(action.attached_stop))
    if validate:
        form["validate"] = "true"
    return form


def _given(price: Decimal | None, order: Order) -> Decimal:
    if price is None or price <= ZERO:
        raise ValueError(f"order {order.client_id} is a {order.type} without a price")
    return price


def amend_order(action: Amend, deadline: datetime) -> Form:
    """AmendOrder: the order's new total quantity and its price, in place."""
    form = _named(action.order) | {"order_qty": plain(action.quantity), "deadline": rfc3339(deadline)}
    if action.trigger_price is not None:
        form["trigger_price"] = plain(action.trigger_price)
    elif action.limit_price is not None:
        form["limit_price"] = plain(action.limit_price)
    return form


def cancel_order(action: Cancel) -> Form:
    """CancelOrder for one order, by Kraken's name for it, or by ours where that is not known."""
    return _named(action.order)


def _named(order: Order) -> Form:
    return {"txid": order.venue_id} if order.venue_id is not None else {"cl_ord_id": order.client_id}


def rfc3339(moment: datetime) -> str:
    """A moment as Kraken reads it, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


# -- what comes --------------------------------------------------------------------------------------------------


class Pairs:
    """Our symbols by every name that Kraken has for a pair: its key, its altname and its name on the streams."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._symbols: dict[str, str] = {}
        for one in instruments:
            base, quote = (_KRAKENS_SPELLING.get(asset, asset) for asset in (one.base, one.quote))
            for name in (one.venue_name, base + quote, f"{base}/{quote}", one.symbol):
                self._symbols[name] = one.symbol

    def symbol(self, name: str) -> str:
        """Ours for Kraken's; a pair that is not listed keeps Kraken's name, since its orders are there all the same."""
        return self._symbols.get(name, name)


def asset(code: str) -> str:
    """Our name of a coin or currency. Kinds that cannot be traded as they are (staked) keep their suffix.

    Balances that earn by themselves (".F") are spent like the coin itself, by Kraken's page on BalanceEx.
    """
    name, dot, kind = code.removesuffix(".F").partition(".")
    return _OLD_CODES.get(name, name) + dot + kind


def accepted_name(result: object) -> str | None:
    """The order id that AddOrder answers with; None where nothing was placed (validate)."""
    names = mapping(result, "answer").get("txid")
    return str(names[0]) if isinstance(names, list) and names else None


def orders(result: object, key: str, pairs: Pairs, skew: timedelta = _NO_SKEW) -> list[VenueOrder]:
    """The orders of OpenOrders (key "open") or ClosedOrders (key "closed"), as Kraken lists them.

    Times are told on our clock: `skew` is how far Kraken's is ahead.
    """
    listed = mapping(mapping(result, "list of orders").get(key), "list of orders")
    found = []
    for name, row in listed.items():
        try:
            found.append(order(name, row, pairs, skew))
        except VenueUnreadableError:
            # Somebody else's order in a form that we do not know must not blind us to our own.
            if _may_be_ours(row):
                raise
    return found


def _may_be_ours(raw: object) -> bool:
    """False only for an order that does not bear our name, and that no entry of ours can have spawned."""
    name = raw.get("cl_ord_id") if isinstance(raw, Mapping) else None
    has_no_parent = isinstance(raw, Mapping) and isinstance(raw.get("descr"), Mapping) and not raw.get("refid")
    return not has_no_parent or is_client_id(str(name or ""))


def is_client_id(name: str) -> bool:
    """True for a name that Zyn gives: its sign, then the installation's and the order's numbers."""
    return name.startswith(OUR_SIGN) and "-" in name


def rows_of(result: object, key: str) -> int:
    """How many rows an answer has under `key`, those included that cannot be read."""
    return len(mapping(mapping(result, "list").get(key), "list"))


def count(result: object) -> int | None:
    """How many rows all pages have together, where Kraken says so."""
    found = mapping(result, "list").get("count")
    text = str(found)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None


def order(name: str, raw: object, pairs: Pairs, skew: timedelta = _NO_SKEW) -> VenueOrder:
    """One order by its id. An order with a parent is nobody's by name: Kraken may give it the parent's.

    When an open order traded, Kraken does not say; of a closed one the end is known.
    """
    row = mapping(raw, "order")
    described = mapping(row.get("descr"), "order")
    kind = _kind(str(described.get("ordertype")))
    filled, cost = (_decimal(row.get(one), "order") for one in ("vol_exec", "cost"))
    fee = _decimal(row.get("fee"), "fee")
    side = _side(described.get("type"))
    status = str(row.get("status"))
    if status not in _STATES:
        raise unreadable("order", f"nobody knows the status {status!r}")
    parent = row.get("refid")
    ended = row.get("closetm")
    opened_at = _earlier(_time(row.get("opentm")), skew)
    average = _decimal(row.get("price", "0"), "order")
    return VenueOrder(
        venue_id=name,
        client_id=None if parent else _text(row.get("cl_ord_id")),
        symbol=pairs.symbol(str(described.get("pair"))),
        side=side,
        type=kind,
        quantity=_decimal(row.get("vol"), "order"),
        state=_STATES[status],
        opened_at=opened_at,
        limit_price=_price(described.get("price")) if kind is OrderType.LIMIT else None,
        trigger_price=_trigger(row, described) if kind is OrderType.STOP_LOSS else None,
        filled=filled,
        cost=cost,
        fee=fee,
        base_fee=_base_fee(row, side, fee, average),
        filled_at=_earlier(_time(ended), skew) if ended and filled > ZERO else None,
        reason=_text(row.get("reason")) or "",
        parent_id=_text(parent),
        triggered="triggered" in str(row.get("misc", "")) or "stopped" in str(row.get("misc", "")),
    )


def _kind(name: str) -> OrderType:
    """What an order is to us. Every kind that waits for a price to be reached counts as a stop."""
    return _KINDS.get(name, OrderType.STOP_LOSS)


def _side(name: object) -> Side:
    if not isinstance(name, str) or name not in set(Side):
        raise unreadable("order", f"it neither buys nor sells ({name!r})")
    return Side(name)


def _trigger(row: Mapping[str, object], described: Mapping[str, object]) -> Decimal | None:
    """The price at which a stop wakes. Kraken says it twice, and either may be zero."""
    return _price(described.get("price")) or _price(row.get("stopprice")) or _price(described.get("price2"))


def _price(value: object) -> Decimal | None:
    """A price, None where Kraken writes zero, nothing, or a distance like "+1.5%"."""
    text = str(value or "0")
    if _PLAIN_NUMBER.fullmatch(text) is None:
        return None
    found = Decimal(text)
    return found if found > ZERO else None


_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")


def _base_fee(row: Mapping[str, object], side: Side, fee: Decimal, average: Decimal) -> Decimal:
    """What a purchase paid in coins instead of quote: so much less than its quantity is there."""
    in_base = "fcib" in str(row.get("oflags", "")).split(",")
    return divide(fee, average) if in_base and side is Side.BUY and average > ZERO else ZERO


def balances(result: object) -> dict[str, Balance]:
    """BalanceEx (with what is held) or Balance (without) by our names; empty ones are left out."""
    found: dict[str, Balance] = {}
    for code, row in mapping(result, "balance").items():
        total, held = row, "0"
        if isinstance(row, Mapping):
            total, held = row.get("balance"), row.get("hold_trade", "0")
        balance = Balance(asset(code), _decimal(total, "balance"), _decimal(held, "balance"))
        if balance.total != ZERO:
            known = found.get(balance.asset, Balance(balance.asset, ZERO))
            found[balance.asset] = Balance(balance.asset, known.total + balance.total, known.held + balance.held)
    return found


def fees(result: object) -> Fees:
    """TradeVolume's own tier for the one pair that was asked for."""
    reply = mapping(result, "fees")
    taker = _first_fee(reply.get("fees"))
    if taker is None:
        raise unreadable("fees", "there is none for the pair")
    maker = _first_fee(reply.get("fees_maker"))
    return Fees(maker if maker is not None else taker, taker)


def _first_fee(rows: object) -> Decimal | None:
    if not isinstance(rows, Mapping) or not rows:
        return None
    return _decimal(mapping(next(iter(rows.values())), "fees").get("fee"), "fees")


def venue_fills(result: object, pairs: Pairs) -> list[VenueFill]:
    """The executions of TradesHistory, as Kraken lists them."""
    listed = mapping(mapping(result, "list of trades").get("trades"), "list of trades")
    return [_venue_fill(name, row, pairs) for name, row in listed.items()]


def _venue_fill(name: str, raw: object, pairs: Pairs) -> VenueFill:
    row = mapping(raw, "trade")
    price, quantity, cost, fee = (_decimal(row.get(one), "trade") for one in ("price", "vol", "cost", "fee"))
    symbol = pairs.symbol(str(row.get("pair")))
    return VenueFill(name, str(row.get("ordertxid")), symbol, price, quantity, cost, fee, _time(row.get("time")))


def stream_token(result: object) -> str:
    """GetWebSocketsToken."""
    found = _text(mapping(result, "token").get("token"))
    if found is None:
        raise unreadable("token", "it is empty")
    return found


def server_time(result: object) -> datetime:
    """Time: Kraken's clock, to the second."""
    return _time(mapping(result, "time").get("unixtime"))


def system_status(result: object) -> str:
    """SystemStatus: online, maintenance, cancel_only, post_only, limit_only."""
    return str(mapping(result, "status").get("status", "unknown"))


# -- one value ---------------------------------------------------------------------------------------------------


def mapping(value: object, what: str) -> Mapping[str, object]:
    """An object of JSON. Raises VenueUnreadableError for anything else."""
    if not isinstance(value, Mapping):
        raise unreadable(what, f"it is {type(value).__name__}, not an object")
    return value


def _decimal(value: object, what: str) -> Decimal:
    """A number from Kraken's text. JSON's own numbers come as text or whole from the client; floats are not taken."""
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    if len(text) <= _DIGITS_MAX and _PLAIN_NUMBER.fullmatch(
        text.removeprefix("-") if what in _MAY_BE_NEGATIVE else text
    ):
        return Decimal(text)
    raise unreadable(what, f"{value!r} is no number")


_MAY_BE_NEGATIVE = frozenset({"balance", "fee"})
"""A maker may be paid for an order."""


def _time(value: object) -> datetime:
    """A moment from seconds since 1970."""
    if isinstance(value, int | float | str):
        try:
            return _EPOCH + timedelta(microseconds=int(times(Decimal(str(value)), _MICROSECONDS)))
        except (ArithmeticError, ValueError):
            pass
    raise unreadable("time", f"{value!r} is no time")


def _earlier(moment: datetime, skew: timedelta) -> datetime:
    """On our clock what Kraken tells on its own."""
    try:
        return moment - skew
    except OverflowError:
        raise unreadable("time", f"{moment} is no time of ours") from None


def _text(value: object) -> str | None:
    return str(value) if value else None


def unreadable(what: str, why: str) -> VenueUnreadableError:
    """The error for an answer that is not what Kraken documents."""
    return VenueUnreadableError(f"Kraken sent a {what} that cannot be read: {why}")


def names_of(found: Sequence[VenueOrder]) -> set[str]:
    """The client ids and Kraken's ids among these orders."""
    return {one.venue_id for one in found} | {one.client_id for one in found if one.client_id is not None}
