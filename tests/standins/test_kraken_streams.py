"""The stand-in's WebSockets: an unmodified ccxt.pro hears of prices, orders and executions, and of their loss."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import ccxt
import pytest

from tests.standins.kraken import KrakenStandIn
from tests.standins.kraken_clients import stream_client

ZEC = "ZEC/USD"


@pytest.fixture
async def kraken() -> AsyncIterator[KrakenStandIn]:
    async with KrakenStandIn() as server:
        server.account.limits = False
        yield server


@pytest.fixture
async def client(kraken: KrakenStandIn) -> AsyncIterator[Any]:
    async with stream_client(kraken) as client:
        yield client


async def until_listening(kraken: KrakenStandIn) -> None:
    async with asyncio.timeout(5):
        while not kraken.streams.listening:
            await asyncio.sleep(0.01)


class Listener:
    """A socket without ccxt, for what ccxt hides."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self, channel: str) -> dict[str, Any]:
        """The next message of this channel, or answer to this method."""
        async with asyncio.timeout(5):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                if channel in {message.get("channel"), message.get("method")}:
                    return message


@pytest.fixture
async def private(kraken: KrakenStandIn) -> AsyncIterator[Listener]:
    kraken.private.tokens.append("a token")
    async with aiohttp.ClientSession() as session, session.ws_connect(kraken.ws_auth_url) as socket:
        yield Listener(socket)


async def subscribe(listener: Listener, **params: Any) -> dict[str, Any]:
    request = {"method": "subscribe", "params": {"channel": "executions", **params}, "req_id": 7}
    await listener.socket.send_json(request)
    return await listener.next("subscribe")


# -- prices ------------------------------------------------------------------------------------------------------


async def test_a_ticker_comes_at_once_and_again_when_the_market_trades(kraken: KrakenStandIn, client: Any) -> None:
    first = await client.watch_ticker(ZEC)
    later = asyncio.ensure_future(client.watch_ticker(ZEC))
    await asyncio.sleep(0)
    kraken.account.trade(ZEC, "505.00")
    ticker = await asyncio.wait_for(later, 5)
    assert (first["last"], ticker["last"], ticker["bid"], ticker["ask"]) == (510.15, 505.0, 505.0, 505.01)


async def test_one_subscription_serves_many_symbols(kraken: KrakenStandIn, client: Any) -> None:
    await client.watch_tickers([ZEC, "BTC/USD", "DOGE/USD"])
    assert [one["symbol"] for one in kraken.streams.subscribed] == [[ZEC, "BTC/USD", "DOGE/USD"]]


async def test_a_silent_market_is_known_by_its_heartbeat_and_answers_a_ping(kraken: KrakenStandIn) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(kraken.ws_url) as socket:
        listener = Listener(socket)
        await socket.send_json({"method": "ping", "req_id": 9})
        assert (await listener.next("pong"))["req_id"] == 9
        assert await listener.next("heartbeat") == {"channel": "heartbeat"}


# -- orders ------------------------------------------------------------------------------------------------------


async def test_open_orders_come_first_and_new_ones_as_they_are_placed(kraken: KrakenStandIn, client: Any) -> None:
    resting = kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "500.00")
    first = await client.watch_orders()
    placed = kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "499.00")
    async with asyncio.timeout(5):
        while not any(order["id"] == placed.id and order["status"] == "open" for order in client.orders):
            await client.watch_orders()
    assert [order["id"] for order in first] == [resting.id]


async def test_an_execution_is_heard_as_a_trade(kraken: KrakenStandIn, client: Any) -> None:
    kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "500.00")
    waiting = asyncio.ensure_future(client.watch_my_trades())
    await until_listening(kraken)
    kraken.account.trade(ZEC, "499.00", "0.4")
    (trade,) = await asyncio.wait_for(waiting, 5)
    assert (trade["symbol"], trade["amount"], trade["price"], trade["takerOrMaker"]) == (ZEC, 0.4, 500.0, "maker")


async def test_the_life_of_an_order_is_told_in_order_and_numbered(kraken: KrakenStandIn, private: Listener) -> None:
    assert (await subscribe(private, token="a token"))["success"] is True
    snapshot = await private.next("executions")
    order = kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "500.00", close="480.00")
    kraken.account.by_hand_amend(order.id, limit="501.00")
    kraken.account.trade(ZEC, "499.00")
    (child,) = kraken.account.children(order.id)
    kraken.account.by_hand_cancel(child.id)
    heard = [await private.next("executions") for _ in range(8)]
    rows = [message["data"][0] for message in heard]
    assert (snapshot["type"], snapshot["data"], snapshot["sequence"]) == ("snapshot", [], 1)
    assert [(row["order_id"], row["exec_type"]) for row in rows] == [
        (order.id, "pending_new"),
        (order.id, "new"),
        (order.id, "amended"),
        (order.id, "trade"),
        (order.id, "filled"),
        (child.id, "pending_new"),
        (child.id, "new"),
        (child.id, "canceled"),
    ]
    assert [message["sequence"] for message in heard] == list(range(2, 10))


async def test_what_ended_an_order_does_not_name_its_symbol(kraken: KrakenStandIn, private: Listener) -> None:
    await subscribe(private, token="a token", snap_orders=False)
    kraken.account.by_hand_cancel(kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "500.00").id)
    rows = [(await private.next("executions"))["data"] for _ in range(4)]
    assert ["symbol" in row[0] for row in rows[1:]] == [True, True, False]


async def test_a_lost_message_leaves_a_gap_in_the_numbers(kraken: KrakenStandIn, private: Listener) -> None:
    await subscribe(private, token="a token")
    await private.next("executions")
    kraken.streams.lose_next = 1
    kraken.account.by_hand_place(ZEC, "buy", "limit", "1", "500.00")
    assert (await private.next("executions"))["sequence"] == 3


# -- trouble -----------------------------------------------------------------------------------------------------


async def test_a_wrong_token_is_refused(private: Listener) -> None:
    answer = await subscribe(private, token="another")
    assert (answer["success"], answer["error"], answer["req_id"]) == (False, "ESession:Invalid session", 7)


async def test_subscriptions_are_rejected_when_they_are_told_to(kraken: KrakenStandIn, private: Listener) -> None:
    kraken.streams.reject_subscriptions = True
    assert (await subscribe(private, token="a token"))["success"] is False


async def test_a_cut_is_noticed_and_a_new_connection_hears_again(kraken: KrakenStandIn, client: Any) -> None:
    await client.watch_ticker(ZEC)
    waiting = asyncio.ensure_future(client.watch_ticker(ZEC))
    await asyncio.sleep(0.01)
    kraken.streams.cut()
    with pytest.raises(ccxt.NetworkError):
        await asyncio.wait_for(waiting, 5)
    assert (await asyncio.wait_for(client.watch_ticker(ZEC), 5))["last"] == 510.15
    assert kraken.streams.connected == 2


async def test_connections_are_refused_when_they_are_told_to(kraken: KrakenStandIn, client: Any) -> None:
    kraken.streams.refuse_connections = True
    with pytest.raises(ccxt.NetworkError):
        await asyncio.wait_for(client.watch_ticker(ZEC), 5)
    assert kraken.streams.connections == 0


async def test_a_silent_server_says_nothing_not_even_a_heartbeat(kraken: KrakenStandIn) -> None:
    kraken.streams.silent = True
    async with aiohttp.ClientSession() as session, session.ws_connect(kraken.ws_url) as socket:
        await socket.send_json({"method": "ping"})
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=1.3)


async def test_an_outage_of_the_server_cuts_the_streams_and_they_come_back(kraken: KrakenStandIn, client: Any) -> None:
    await client.watch_ticker(ZEC)
    await kraken.stop()
    with pytest.raises(ccxt.NetworkError):
        await asyncio.wait_for(client.watch_ticker(ZEC), 5)
    await kraken.start()
    assert (await asyncio.wait_for(client.watch_ticker(ZEC), 5))["last"] == 510.15
