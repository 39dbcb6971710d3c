"""The account's lists, as Kraken's REST API gives them: what `seen` at this moment, lags included."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from core.domain.money import ZERO
from core.domain.venue import VenueState
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_account_state import kraken_code
from tests.standins.kraken_public import ApiError, Pair
from tests.standins.kraken_records import Json, Record, Shot, Trade, order_row, places, seconds, trade_row
from tests.standins.kraken_requests import INVALID, Params

PAGE = 50
QUERY_MAX = 50
TRUE = frozenset({"true", "1"})

Seen = tuple[Record, Shot]
Item = TypeVar("Item")


def balance(account: KrakenAccount, _params: Params) -> Json:
    """Balance."""
    return {kraken_code(name): places(amount, _decimals(name)) for name, amount in sorted(account.balances.items())}


def balance_ex(account: KrakenAccount, _params: Params) -> Json:
    """BalanceEx: with what waits in orders."""
    held = account.books.held()
    return {
        kraken_code(name): {
            "balance": places(amount, _decimals(name)),
            "hold_trade": places(held.get(name, ZERO), _decimals(name)),
        }
        for name, amount in sorted(account.balances.items())
    }


def _decimals(name: str) -> int:
    return 4 if kraken_code(name).startswith("Z") else 10


def open_orders(account: KrakenAccount, params: Params) -> Json:
    """OpenOrders, newest first."""
    found = [seen for seen in _seen(account, params) if seen[1].order.state is VenueState.OPEN]
    return {"open": _rows(account, sorted(found, key=_opened, reverse=True), params)}


def closed_orders(account: KrakenAccount, params: Params) -> Json:
    """ClosedOrders: those that ended last come first, 50 a page, `count` of them all."""
    found = [seen for seen in _seen(account, params) if seen[1].order.state is not VenueState.OPEN]
    clock = {"open": (_opened,), "close": (_ended,)}.get(params.get("closetime", "both"), (_opened, _ended))
    wanted = [seen for seen in found if any(_is_between(account, read(seen), params) for read in clock)]
    newest = sorted(wanted, key=_ended, reverse=True)
    return {"closed": _rows(account, _page(newest, params), params), "count": len(wanted)}


def query_orders(account: KrakenAccount, params: Params) -> Json:
    """QueryOrders: up to 50 ids; one that no list shows is left out."""
    wanted = [name.strip() for name in params.get("txid", "").split(",") if name.strip()]
    if not wanted or len(wanted) > QUERY_MAX:
        raise ApiError(INVALID)
    seen = {record.id: (record, shot) for record, shot in _seen(account, {})}
    return _rows(account, [seen[name] for name in wanted if name in seen], params)


def trades_history(account: KrakenAccount, params: Params) -> Json:
    """TradesHistory: newest first, 50 a page, `count` of them all."""
    now = account.monotonic()
    shown = [trade for trade in reversed(account.trades) if trade.due <= now]
    wanted = [trade for trade in shown if _is_between(account, trade.at, params)]
    rows = {trade.id: _trade_row(account, trade) for trade in _page(wanted, params)}
    return {"trades": rows, "count": len(wanted)}


def query_trades(account: KrakenAccount, params: Params) -> Json:
    """QueryTrades: up to 20 ids."""
    wanted = set(params.get("txid", "").split(","))
    return {trade.id: _trade_row(account, trade) for trade in account.trades if trade.id in wanted}


def trade_volume(account: KrakenAccount, params: Params) -> Json:
    """TradeVolume: what this account pays, in percent, for each pair that was asked for."""
    names = [name for name in params.get("pair", "").split(",") if name]
    pairs = [account.market.named(name) for name in names]
    friction = account.books.friction
    reply: Json = {"currency": "ZUSD", "volume": "0.0000"}
    if pairs:
        reply["fees"] = _fees(pairs, friction.taker_pct)
        reply["fees_maker"] = _fees(pairs, friction.maker_pct)
    return reply


def _fees(pairs: Iterable[Pair], percent: Decimal) -> Json:
    text = places(percent, 4)
    fee = {"fee": text, "minfee": "0.0000", "maxfee": text, "nextfee": None, "nextvolume": None, "tiervolume": "0.0000"}
    return {pair.key: fee for pair in pairs}


READS: dict[str, Callable[[KrakenAccount, Params], Json]] = {
    "Balance": balance,
    "BalanceEx": balance_ex,
    "OpenOrders": open_orders,
    "ClosedOrders": closed_orders,
    "QueryOrders": query_orders,
    "TradesHistory": trades_history,
    "QueryTrades": query_trades,
    "TradeVolume": trade_volume,
}
"""By endpoint."""


# -- rows and pages ----------------------------------------------------------------------------------------------


def _seen(account: KrakenAccount, params: Params) -> list[Seen]:
    """What the lists show now, under the name or the reference that was asked for."""
    now = account.monotonic()
    found = [(record, shot) for record in account.records.values() if (shot := record.seen(now)) is not None]
    client_id, userref = params.get("cl_ord_id"), params.get("userref")
    return [
        (record, shot)
        for record, shot in found
        if client_id in {None, "", shot.order.client_id} and userref in {None, "", str(record.userref)}
    ]


def _rows(account: KrakenAccount, seen: Iterable[Seen], params: Params) -> Json:
    rows: Json = {}
    for record, shot in seen:
        parent = account.records.get(shot.order.parent_id or "")
        row = order_row(record, shot, account.spelling, parent.order.shown.client_id if parent else None)
        if params.get("trades", "").lower() in TRUE and shot.trades:
            row["trades"] = [trade.id for trade in record.trades[: shot.trades]]
        rows[record.id] = row
    return rows


def _trade_row(account: KrakenAccount, trade: Trade) -> Json:
    return trade_row(trade, account.records[trade.order_id], account.spelling.money_decimals)


def _page(items: list[Item], params: Params) -> list[Item]:
    start = int(params.get("ofs", "0"))
    return items[start : start + PAGE]


def _opened(seen: Seen) -> datetime:
    return seen[1].order.opened_at


def _ended(seen: Seen) -> datetime:
    return seen[1].closed_at or seen[1].order.opened_at


def _is_between(account: KrakenAccount, at: datetime, params: Params) -> bool:
    """After `start` and not after `end`, each a time or an id."""
    start, end = (_edge(account, params.get(name)) for name in ("start", "end"))
    return (start is None or seconds(at) > start) and (end is None or seconds(at) <= end)


def _edge(account: KrakenAccount, text: str | None) -> float | None:
    if not text:
        return None
    if text in account.records:
        return seconds(account.records[text].order.shown.opened_at)
    try:
        return float(text)
    except ValueError:
        raise ApiError(INVALID) from None
