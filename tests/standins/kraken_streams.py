"""The WebSockets of the stand-in: v2's public `ticker` and private `executions`, with heartbeats, and ways to fail."""

import asyncio
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_account_state import Event, plain_symbol
from tests.standins.kraken_messages import order_message, ticker_message, trade_message, update_message
from tests.standins.kraken_private import KrakenPrivate
from tests.standins.kraken_public import Pair
from tests.standins.kraken_records import Json

HEARTBEAT_S = 1.0
SNAP_TRADES = 50


@dataclass(eq=False, slots=True)
class Connection:
    """One socket and what it has subscribed to."""

    socket: web.WebSocketResponse
    request: web.Request
    tickers: set[str] = field(default_factory=set)
    executions: bool = False
    sequence: int = 0
    waiting: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)


class KrakenStreams:
    """Both streams. The switches work at once, on sockets that are open too."""

    def __init__(self, account: KrakenAccount, private: KrakenPrivate) -> None:
        self.refuse_connections = False
        """Answer every new connection with a 503."""
        self.silent = False
        """Accept and listen, but send nothing at all."""
        self.reject_subscriptions = False
        """Refuse every subscription."""
        self.lose_next = 0
        """So many messages of the private stream get lost; their sequence numbers are used up."""
        self.connected = 0
        """How many connections there ever were."""
        self.subscribed: list[Json] = []
        """Every subscription that was asked for: the `params` of the message."""
        self._account, self._private = account, private
        self._open: set[Connection] = set()
        account.listeners.append(self._on_event)
        account.quote_listeners.append(self._on_quote)

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    @property
    def listening(self) -> int:
        """How many sockets hear of executions."""
        return sum(connection.executions for connection in self._open)

    def cut(self) -> None:
        """Break every connection without a word."""
        for connection in list(self._open):
            self._open.discard(connection)
            if connection.request.transport is not None:
                connection.request.transport.abort()

    # -- one connection ----------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends. Which of the two streams it is, its path says."""
        if self.refuse_connections:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket, request)
        self._open.add(connection)
        self.connected += 1
        writer = asyncio.create_task(self._write(connection))
        self._say(connection, _status(self.connected))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(connection, json.loads(message.data))
        finally:
            self._open.discard(connection)
            writer.cancel()
        return socket

    async def _write(self, connection: Connection) -> None:
        while True:
            try:
                message = await asyncio.wait_for(connection.waiting.get(), HEARTBEAT_S)
            except TimeoutError:
                message = {"channel": "heartbeat"}
            if not self.silent:
                try:
                    await connection.socket.send_json(message)
                except (ConnectionError, RuntimeError):
                    return

    def _say(self, connection: Connection, message: Json) -> None:
        connection.waiting.put_nowait(message)

    def _hear(self, connection: Connection, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params") or {}
        answer = {"method": method, "req_id": message.get("req_id"), **self._times()}
        if method == "ping":
            self._say(connection, {**answer, "method": "pong"})
        elif method == "subscribe":
            self.subscribed.append(params)
            self._subscribe(connection, params, answer)
        elif method == "unsubscribe":
            self._unsubscribe(connection, params, answer)
        else:
            self._say(connection, {**answer, "success": False, "error": f"Unsupported method: {method}"})

    def _times(self) -> Json:
        now = self._account.now().isoformat().replace("+00:00", "Z")
        return {"time_in": now, "time_out": now}

    # -- subscriptions -----------------------------------------------------------------------------------------------

    def _subscribe(self, connection: Connection, params: dict[str, Any], answer: Json) -> None:
        is_private = connection.request.path.startswith("/auth")
        if params.get("channel") == "executions" and is_private:
            self._subscribe_executions(connection, params, answer)
        elif params.get("channel") == "ticker" and not is_private:
            self._subscribe_tickers(connection, params, answer)
        else:
            self._refuse(connection, answer, f"Channel {params.get('channel')} is not supported")

    def _refuse(self, connection: Connection, answer: Json, text: str) -> None:
        self._say(connection, {**answer, "success": False, "error": text})

    def _subscribe_executions(self, connection: Connection, params: dict[str, Any], answer: Json) -> None:
        if self.reject_subscriptions or params.get("token") not in self._private.tokens:
            self._refuse(connection, answer, "ESession:Invalid session")
            return
        snapshots = {name: bool(params.get(name, name == "snap_orders")) for name in ("snap_orders", "snap_trades")}
        result = {"channel": "executions", **snapshots, "maxratecount": 180}
        self._say(connection, {**answer, "success": True, "result": result})
        connection.executions = True
        data: list[Json] = []
        if snapshots["snap_orders"]:
            data += [order_message("new", record, record.order.shown) for record in self._account.open_records()]
        if snapshots["snap_trades"]:
            newest = self._account.trades[-SNAP_TRADES:]
            records = self._account.records
            data += [trade_message(records[one.order_id], records[one.order_id].order.shown, one) for one in newest]
        self._execution(connection, "snapshot", data)

    def _subscribe_tickers(self, connection: Connection, params: dict[str, Any], answer: Json) -> None:
        pairs = {plain_symbol(pair): pair for pair in self._account.market.pairs.values()}
        for symbol in params.get("symbol", []):
            if self.reject_subscriptions or symbol not in pairs:
                self._say(
                    connection,
                    {**answer, "success": False, "symbol": symbol, "error": f"Currency pair not supported {symbol}"},
                )
                continue
            connection.tickers.add(symbol)
            result = {"channel": "ticker", "symbol": symbol, "event_trigger": "trades", "snapshot": True}
            self._say(connection, {**answer, "success": True, "result": result})
            self._say(connection, ticker_message("snapshot", pairs[symbol], self._account.now()))

    def _unsubscribe(self, connection: Connection, params: dict[str, Any], answer: Json) -> None:
        if params.get("channel") == "executions":
            connection.executions = False
        connection.tickers -= set(params.get("symbol", []))
        self._say(connection, {**answer, "success": True, "result": {"channel": params.get("channel")}})

    # -- what happens --------------------------------------------------------------------------------------------------

    def _on_quote(self, pair: Pair) -> None:
        symbol = plain_symbol(pair)
        for connection in self._open:
            if symbol in connection.tickers:
                self._say(connection, ticker_message("update", pair, self._account.now()))

    def _on_event(self, event: Event) -> None:
        messages = list(_messages(event, self._account))
        for connection, message in itertools.product(list(self._open), messages):
            if connection.executions:
                self._execution(connection, "update", [message])

    def _execution(self, connection: Connection, kind: str, data: list[Json]) -> None:
        connection.sequence += 1
        if kind == "update" and self.lose_next > 0:
            self.lose_next -= 1
            return
        message = {"channel": "executions", "type": kind, "data": data, "sequence": connection.sequence}
        self._say(connection, message)


def _messages(event: Event, account: KrakenAccount) -> Iterable[Json]:
    if event.kind == "new":
        yield order_message("pending_new", event.record, event.order)
        yield order_message("new", event.record, event.order)
    elif event.trade is not None:
        yield trade_message(event.record, event.order, event.trade)
    else:
        yield update_message(event.kind, event.order, account.now())


def _status(number: int) -> Json:
    data = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": number}
    return {"channel": "status", "type": "update", "data": [data]}
