"""A Kraken account as an exchange, over a client with ccxt's unified methods.

The client is handed in. What stands here is the shape of the port: how orders go out, how answers are judged, how
the books come back. Limits, recovery of single orders and the streams of a real account are not here yet, so the
wiring attaches this wrapper to nothing but an injected client.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from loguru import logger

from core.domain.modes import Mode
from core.domain.money import ZERO
from core.domain.orders import Order, OrderType, Side, TimeInForce
from core.domain.venue import (
    Accepted,
    Action,
    Amend,
    Balance,
    Cancel,
    Outcome,
    Refused,
    Snapshot,
    Submit,
    Unknown,
    VenueOrder,
    VenueState,
)
from core.exchange.errors import VenueUnreadableError
from core.exchange.port import Abilities
from core.exchange.reading import Page, read_books
from core.exchange.verdicts import Proof, meaning_of
from core.market.clocks import Clock

# The parameters are called as the client calls them.
# ruff: noqa: A002


class KrakenClient(Protocol):
    """The unified methods that are used. Parameters are always a dictionary: None breaks the client."""

    async def create_order(
        self, symbol: str, type: str, side: str, amount: float | str, price: float | str | None, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Place an order."""
        ...

    async def cancel_order(self, id: str, symbol: str, params: dict[str, Any]) -> dict[str, Any]:
        """Take one back."""
        ...

    async def edit_order(
        self,
        id: str,
        symbol: str,
        type: str,
        side: str,
        amount: float | str,
        price: float | str | None,
        params: dict[str, Any],
    ) -> dict[str, Any]:
        """Change one in place (AmendOrder)."""
        ...

    async def fetch_open_orders(
        self, symbol: str | None, since: int | None, limit: int | None, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """What rests."""
        ...

    async def fetch_closed_orders(
        self, symbol: str | None, since: int | None, limit: int | None, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """What ended lately."""
        ...

    async def fetch_balance(self, params: dict[str, Any]) -> dict[str, Any]:
        """What the account has."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class KrakenExchangeWrapper:
    """An `Exchange` whose venue is a Kraken account."""

    mode = Mode.LIVE
    abilities = Abilities()

    def __init__(self, client: KrakenClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    @property
    def name(self) -> str:
        """As logs and replies show it."""
        return type(self).__name__

    async def advance(self, base: str | None = None) -> None:
        """A real venue lives by itself."""

    async def snapshot(self, wanted: Collection[str]) -> Snapshot:
        """The account's books now. Raises VenueUnreadableError."""
        del wanted

        async def still_open() -> Page:
            return _page(await self._open(None))

        async def closed() -> Page:
            return _page(await self._client.fetch_closed_orders(None, None, None, {}))

        async def balances() -> dict[str, Balance]:
            return _balances(await self._client.fetch_balance({}))

        try:
            return await read_books(self._clock, still_open, closed, balances)
        except Exception as error:
            raise VenueUnreadableError(f"Kraken's books cannot be read: {type(error).__name__}") from error

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        """The orders that rest at Kraken. Raises VenueUnreadableError."""
        try:
            return [venue_order(raw) for raw in await self._open(symbol)]
        except Exception as error:
            raise VenueUnreadableError(f"Kraken's open orders cannot be read: {type(error).__name__}") from error

    async def _open(self, symbol: str | None) -> list[dict[str, Any]]:
        return await self._client.fetch_open_orders(symbol, None, None, {})

    async def perform(self, action: Action) -> Outcome:
        """Send once. Whatever comes back that proves nothing is Unknown, and the next snapshot decides."""
        try:
            answer = await self._send(action)
        except Exception as error:  # noqa: BLE001 - the words decide, never the class of a failure
            return judge_failure(str(error))
        name = answer.get("id")
        return Accepted(str(name) if name and not isinstance(action, Amend) else action.order.venue_id)

    async def _send(self, action: Action) -> dict[str, Any]:
        order = action.order
        if isinstance(action, Cancel):
            return await self._client.cancel_order(order.venue_id or "", action.symbol, {})
        if isinstance(action, Submit):
            kind, price, params = wire_form(order)
            amount = format(order.quantity, "f")
            return await self._client.create_order(action.symbol, kind, order.side.value, amount, price, params)
        kind, price, params = _amended(order, action)
        return await self._client.edit_order(
            order.venue_id or "", action.symbol, kind, order.side.value, format(action.quantity, "f"), price, params
        )

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()


def wire_form(order: Order) -> tuple[str, str | None, dict[str, Any]]:
    """Type, price and parameters with which the client sends what is meant: a stop only by `stopLossPrice`."""
    params: dict[str, Any] = {"clientOrderId": order.client_id, "oflags": "fciq"}
    if order.type is OrderType.STOP_LOSS and order.trigger_price is not None:
        return "market", None, params | {"stopLossPrice": format(order.trigger_price, "f")}
    if order.type is OrderType.LIMIT and order.limit_price is not None:
        if order.time_in_force is TimeInForce.IOC:
            params["timeInForce"] = "IOC"
        return "limit", format(order.limit_price, "f"), params
    return "market", None, params


def _amended(order: Order, action: Amend) -> tuple[str, str | None, dict[str, Any]]:
    if order.type is OrderType.STOP_LOSS and action.trigger_price is not None:
        return "market", None, {"stopLossPrice": format(action.trigger_price, "f")}
    return "limit", format(action.limit_price, "f") if action.limit_price is not None else None, {}


def judge_failure(text: str) -> Outcome:
    """Only a refusal that Kraken is known to send proves that nothing was placed. A new one is Unknown, loudly."""
    meant = meaning_of(text)
    if not meant.is_known:
        logger.error("Kraken answers with a string that is not known: {}", meant.text)
    if meant.proof in {Proof.NOTHING, Proof.LANDED}:
        return Unknown(text[:200])
    return Refused(meant.text)


def venue_order(raw: Mapping[str, Any]) -> VenueOrder:
    """One order of the client's unified form. The true type stands in `info.descr.ordertype`."""
    described = (raw.get("info") or {}).get("descr") or {}
    kind = str(described.get("ordertype") or raw.get("type") or "market")
    is_stop = kind.startswith("stop-loss") or raw.get("stopLossPrice") is not None
    fee = (raw.get("fee") or {}).get("cost")
    filled = _decimal(raw.get("filled")) or ZERO
    average = _decimal(raw.get("average"))
    cost = _decimal(raw.get("cost")) or (filled * average if average else ZERO)
    states = {"open": VenueState.OPEN, "closed": VenueState.CLOSED}
    return VenueOrder(
        venue_id=str(raw["id"]),
        client_id=raw.get("clientOrderId"),
        symbol=str(raw["symbol"]),
        side=Side(str(raw["side"])),
        type=OrderType.STOP_LOSS if is_stop else OrderType.LIMIT if kind == "limit" else OrderType.MARKET,
        quantity=_decimal(raw.get("amount")) or ZERO,
        state=states.get(str(raw.get("status")), VenueState.CANCELED),
        opened_at=_time(raw.get("timestamp")),
        limit_price=None if is_stop else _decimal(raw.get("price")),
        trigger_price=_decimal(raw.get("stopLossPrice") or raw.get("stopPrice")) if is_stop else None,
        filled=filled,
        cost=cost,
        fee=_decimal(fee) or ZERO,
        filled_at=_time(raw.get("lastTradeTimestamp") or raw.get("timestamp")) if filled else None,
        reason=str((raw.get("info") or {}).get("reason") or ""),
        parent_id=(raw.get("info") or {}).get("refid"),
    )


def _page(raw: Sequence[Mapping[str, Any]]) -> Page:
    return Page([venue_order(one) for one in raw])


def _balances(raw: Mapping[str, Any]) -> dict[str, Balance]:
    total, used = raw.get("total") or {}, raw.get("used") or {}
    return {
        str(asset): Balance(str(asset), _decimal(amount) or ZERO, _decimal(used.get(asset)) or ZERO)
        for asset, amount in total.items()
        if _decimal(amount)
    }


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _time(milliseconds: object) -> datetime:
    return datetime.fromtimestamp(float(str(milliseconds or 0)) / 1000, UTC)
