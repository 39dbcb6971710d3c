"""The hostile venue behind the real Kraken wrapper: answers in Kraken's own shapes, failures as ccxt tells them.

What the wrapper sends is read back from the form alone, so that a translation which loses anything changes what the
venue does.
"""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from ccxt.base.errors import ExchangeError, ExchangeNotAvailable, RequestTimeout

from core.domain.orders import OrderType, Side, TimeInForce
from core.domain.venue import (
    EVERYTHING,
    Accepted,
    Action,
    Amend,
    Cancel,
    Outcome,
    Reach,
    Refused,
    Snapshot,
    Submit,
    VenueOrder,
    VenueState,
)
from core.exchange.budget import RestBudget, Tier
from core.exchange.errors import VenueUnreadableError
from core.exchange.kraken import AccountClient
from core.exchange.kraken_books import PAGE_ROWS
from core.exchange.kraken_private import AccountOptions, KrakenExchangeWrapper
from core.exchange.kraken_wire import AccountWire
from core.exchange.port import Abilities, MarketData, Pulse, Readiness
from tests.simulation.venue import ANSWER_S, HostileVenue

_STATUS = {VenueState.OPEN: "open", VenueState.CLOSED: "closed", VenueState.CANCELED: "canceled"}
Form = dict[str, str]


@dataclass
class KrakenShaped(HostileVenue):
    """A hostile venue whose port is the real wrapper. `market` lists its pairs."""

    market: MarketData = field(kw_only=True)
    meant: dict[str, Action] = field(default_factory=dict)
    """What was last meant for an order, by each of its names: the watch wants to see whole actions."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.books.rests_unlinked = True
        self.reborn()

    def reborn(self) -> None:
        """A process has died: what its wrapper remembered is gone with it."""
        wire = AccountWire(
            lambda: cast("AccountClient", ShapedClient(self)),
            RestBudget(Tier.PRO, monotonic=self.loop.time, sleep=asyncio.sleep),
        )
        options = AccountOptions(attaches_stops=self.books.nature.attaches, tier=Tier.PRO)
        self.wrapper = KrakenExchangeWrapper(wire, self.market, self.clock, options, monotonic=self.loop.time)

    @property
    def abilities(self) -> Abilities:
        return self.wrapper.abilities

    def room(self, symbol: str) -> float:
        return self.wrapper.room(symbol)

    async def readiness(self) -> Readiness:
        return await self.wrapper.readiness()

    @property
    def pulse(self) -> Pulse:
        return self.wrapper.pulse

    async def measure(self) -> None:
        await self.wrapper.measure()

    async def perform(self, action: Action) -> Outcome:
        self.watch.sending(self, action)
        self.meant[action.order.client_id] = action
        if action.order.venue_id is not None:
            self.meant[action.order.venue_id] = action
        return await self.wrapper.perform(action)

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        shown = await self.wrapper.snapshot(wanted, reach)
        self.watch.read(self, shown, frozenset(wanted))
        return shown

    async def exchange(self, action: Action) -> Outcome | None:
        """What the venue answers within the time of a call; None where nothing comes back."""
        answer: asyncio.Future[Outcome] = self.loop.create_future()
        self.loop.spawn(self._carry(action, answer))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            return None

    async def list_open(self) -> list[VenueOrder]:
        """The open orders, or RequestTimeout: Kraken's list has no way to say that it is not whole."""
        page = await self._still_open()
        if not page.complete:
            raise RequestTimeout("kraken POST OpenOrders")
        return list(page.orders)

    async def list_closed(self) -> list[VenueOrder]:
        """Everything that is over, the newest first."""
        every = [one.client_id for one in self.books.orders.values() if one.client_id is not None]
        page = await self._closed(every)
        if not page.complete:
            raise RequestTimeout("kraken POST ClosedOrders")
        return sorted(page.orders, key=lambda one: (one.filled_at or one.opened_at, one.venue_id), reverse=True)

    async def list_balances(self) -> dict[str, dict[str, str]]:
        """BalanceEx."""
        codes = {"USD": "ZUSD", "ZEC": "XZEC"}
        found = await self._balances()
        # Kraken writes plain digits, however small an amount is.
        return {
            codes[name]: {"balance": format(one.total, "f"), "hold_trade": format(one.held, "f")}
            for name, one in found.items()
        }


class ShapedClient:
    """What ccxt's client would do, over the hostile venue: raw endpoints only."""

    tap = None
    token_source = None

    def __init__(self, venue: KrakenShaped) -> None:
        self.urls: dict[str, Any] = {}
        self._venue = venue

    # ccxt makes the names of its raw endpoints.
    # ruff: noqa: N802

    async def privatePostAddOrder(self, form: Form) -> Mapping[str, object]:
        meant = self._venue.meant[form["cl_ord_id"]]
        price = Decimal(form["price"]) if "price" in form else None
        kind = OrderType(form["ordertype"])
        is_stop = kind is OrderType.STOP_LOSS
        sent = replace(
            meant.order,
            client_id=form["cl_ord_id"],
            side=Side(form["type"]),
            type=kind,
            quantity=Decimal(form["volume"]),
            limit_price=None if is_stop else price,
            trigger_price=price if is_stop else None,
            time_in_force=TimeInForce(form.get("timeinforce", "GTC")),
            deadline=datetime.fromisoformat(form["deadline"]),
        )
        close = form.get("close[price]")
        attached = Decimal(close) if close is not None and form["close[ordertype]"] == "stop-loss" else None
        outcome = await self._venue.exchange(Submit(sent, "ZEC/USD", attached_stop=attached))
        return self._answer("AddOrder", outcome, lambda name: {"txid": [name], "descr": {"order": "…"}})

    async def privatePostAmendOrder(self, form: Form) -> Mapping[str, object]:
        meant = self._venue.meant[form.get("txid") or form["cl_ord_id"]]
        trigger, limit = (Decimal(form[one]) if one in form else None for one in ("trigger_price", "limit_price"))
        sent = Amend(meant.order, "ZEC/USD", Decimal(form["order_qty"]), limit, trigger)
        return self._answer("AmendOrder", await self._venue.exchange(sent), lambda _: {"amend_id": "AMEND"})

    async def privatePostCancelOrder(self, form: Form) -> Mapping[str, object]:
        meant = self._venue.meant[form.get("txid") or form["cl_ord_id"]]
        return self._answer(
            "CancelOrder", await self._venue.exchange(Cancel(meant.order, "ZEC/USD")), lambda _: {"count": 1}
        )

    async def privatePostOpenOrders(self, _form: Form) -> Mapping[str, object]:
        return _envelope({"open": {one.venue_id: _row(one) for one in await self._read(self._venue.list_open())}})

    async def privatePostClosedOrders(self, form: Form) -> Mapping[str, object]:
        start = float(form.get("start", "0"))
        every = [one for one in await self._read(self._venue.list_closed()) if _ended(one) >= start]
        offset = int(form.get("ofs", "0"))
        rows = {one.venue_id: _row(one) for one in every[offset : offset + PAGE_ROWS]}
        return _envelope({"closed": rows, "count": len(every)})

    async def privatePostBalanceEx(self, _form: Form) -> Mapping[str, object]:
        return _envelope(await self._read(self._venue.list_balances()))

    async def privatePostGetApiKeyInfo(self, _form: Form) -> Mapping[str, object]:
        rights = ["query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades"]
        return _envelope({"permissions": rights})

    async def publicGetTime(self, _form: Form) -> Mapping[str, object]:
        return _envelope({"unixtime": int(self._venue.clock().timestamp())})

    async def publicGetSystemStatus(self, _form: Form) -> Mapping[str, object]:
        return _envelope({"status": "online"})

    async def close(self) -> None:
        """Nothing to give back."""

    async def _read(self, work: Any) -> Any:
        try:
            return await work
        except VenueUnreadableError:
            raise RequestTimeout("kraken POST") from None

    def _answer(self, name: str, outcome: Outcome | None, result: Any) -> Mapping[str, object]:
        if isinstance(outcome, Accepted):
            return _envelope(result(outcome.venue_id))
        if isinstance(outcome, Refused):
            raise ExchangeError("kraken " + json.dumps({"error": [outcome.reason]}))
        kind = self._venue.dice.random.choice([0, 1, 2])
        if kind == 0:
            raise ExchangeNotAvailable(f"kraken POST https://127.0.0.1/0/private/{name} 502 Bad Gateway <html>")
        if kind == 1:
            raise ExchangeError('kraken {"error":["EService:Busy"]}')
        raise RequestTimeout(f"kraken POST {name}")


def _envelope(result: object) -> dict[str, object]:
    """Through JSON and back, as it comes over the wire."""
    found: dict[str, object] = json.loads(json.dumps({"error": [], "result": result}))
    return found


def _ended(one: VenueOrder) -> float:
    return max(one.opened_at, one.filled_at or one.opened_at).timestamp()


def _row(one: VenueOrder) -> dict[str, object]:
    """One order as OpenOrders and ClosedOrders show it."""
    price = one.trigger_price or one.limit_price or Decimal(0)
    average = one.cost / one.filled if one.filled else Decimal(0)
    row: dict[str, object] = {
        "refid": one.parent_id,
        "userref": None,
        "status": _STATUS[one.state],
        "opentm": round(one.opened_at.timestamp(), 4),
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": "ZECUSD",
            "type": one.side.value,
            "ordertype": one.type.value,
            "price": format(price, "f"),
            "price2": "0",
            "leverage": "none",
            "order": "…",
            "close": "",
        },
        "vol": format(one.quantity, "f"),
        "vol_exec": format(one.filled, "f"),
        "cost": format(one.cost, "f"),
        "fee": format(one.fee, "f"),
        "price": format(average, ".5f"),
        "stopprice": format(one.trigger_price or Decimal(0), "f"),
        "limitprice": "0.00000",
        "misc": "",
        "oflags": "fciq",
        "reason": one.reason or None,
    }
    if one.client_id is not None:
        row["cl_ord_id"] = one.client_id
    if one.state is not VenueState.OPEN:
        row["closetm"] = round(_ended(one), 4)
    return row
