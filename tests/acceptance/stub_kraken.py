"""A client with ccxt's unified methods whose venue is a dictionary: every order of the test stays where it was put."""

# The parameters are called as the client calls them.
# ruff: noqa: A002

from datetime import UTC, datetime
from itertools import count
from typing import Any


class StubKrakenClient:
    """Fills market orders at once, lets everything else rest, and remembers each call."""

    def __init__(self) -> None:
        self.fill_price = 512.0
        self.orders: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._numbers = count(1)

    async def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Any,
        price: Any,
        params: dict[str, Any],
    ) -> dict[str, Any]:
        self.calls.append(("create_order", (symbol, type, side, amount, price, params)))
        name = f"O{next(self._numbers):05d}-AAAAA-BBBBBB"
        stop = params.get("stopLossPrice")
        fills = type == "market" and stop is None
        self.orders[name] = {
            "id": name,
            "clientOrderId": params["clientOrderId"],
            "symbol": symbol,
            "side": side,
            "type": type,
            "amount": amount,
            "price": price,
            "stopLossPrice": stop,
            "status": "closed" if fills else "open",
            "filled": amount if fills else 0,
            "average": self.fill_price if fills else None,
            "cost": float(amount) * self.fill_price if fills else 0,
            "fee": {"cost": "0.08" if fills else "0", "currency": "USD"},
            "timestamp": int(datetime.now(UTC).timestamp() * 1000),
            "info": {"descr": {"ordertype": "stop-loss" if stop else type}, "reason": None},
        }
        return {"id": name}

    async def cancel_order(self, id: str, symbol: str, params: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(("cancel_order", (id, symbol, params)))
        self.orders[id]["status"] = "canceled"
        return {"id": id}

    async def edit_order(
        self,
        id: str,
        symbol: str,
        type: str,
        side: str,
        amount: Any,
        price: Any,
        params: dict[str, Any],
    ) -> dict[str, Any]:
        self.calls.append(("edit_order", (id, symbol, type, side, amount, price, params)))
        self.orders[id] |= {"amount": amount, "price": price, "stopLossPrice": params.get("stopLossPrice")}
        return {"id": "AMEND-1"}

    async def fetch_open_orders(
        self, symbol: Any, since: Any, limit: Any, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        return [one for one in self.orders.values() if one["status"] == "open" and symbol in {None, one["symbol"]}]

    async def fetch_closed_orders(
        self, symbol: Any, since: Any, limit: Any, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        return [one for one in self.orders.values() if one["status"] != "open"]

    async def fetch_balance(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"total": {"USD": "10000", "ZEC": "1"}, "used": {"USD": "0", "ZEC": "0"}}

    async def close(self) -> None:
        self.calls.append(("close", ()))
