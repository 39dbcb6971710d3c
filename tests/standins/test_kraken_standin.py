"""The stand-in over HTTP: an unmodified ccxt trades at it, keys are checked, calls are counted and go wrong."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt
import pytest

from core.domain.venue import VenueState
from tests.standins import kraken_faults as faults
from tests.standins.kraken import KrakenStandIn, audit
from tests.standins.kraken_clients import rest_client
from tests.standins.kraken_faults import PrivateFault
from tests.standins.kraken_limits import Tier
from tests.standins.kraken_private import sign
from tests.standins.kraken_public import ANSWERS

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01", "cl_ord_id": "zy1"}


@pytest.fixture
async def kraken() -> AsyncIterator[KrakenStandIn]:
    async with KrakenStandIn() as server:
        server.account.limits = False
        yield server


@pytest.fixture
async def client(kraken: KrakenStandIn) -> AsyncIterator[Any]:
    async with rest_client(kraken) as client:
        yield client


async def raw_call(kraken: KrakenStandIn, endpoint: str, nonce: str, **headers: str) -> list[str]:
    """A call without ccxt: the errors in the answer."""
    path, body = f"/0/private/{endpoint}", f"nonce={nonce}".encode()
    signed = {"API-Key": kraken.key, "API-Sign": sign(kraken.secret, path, nonce, body)}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(kraken.url + path, data=body, headers={**form, **signed, **headers})
        errors: list[str] = (await answer.json())["error"]
    return errors


async def attempt(client: Any) -> str:
    """What comes of an order: ccxt's answer or its complaint, as text."""
    try:
        return str(await client.privatePostAddOrder(BUY))
    except ccxt.BaseError as error:
        return str(error)


# -- ccxt trades -------------------------------------------------------------------------------------------------


async def test_a_raw_order_with_a_conditional_close_is_placed_and_spawns_its_stop(
    kraken: KrakenStandIn, client: Any
) -> None:
    close = {"close[ordertype]": "stop-loss", "close[price]": "90000.0"}
    placed = await client.privatePostAddOrder({**BUY, **close})
    (txid,) = placed["result"]["txid"]
    rows = (await client.privatePostOpenOrders({}))["result"]["open"]
    assert [row["refid"] for row in rows.values()] == [txid]
    assert len(txid) == 19
    assert kraken.private.asked("AddOrder") == [{**BUY, **close}]


async def test_the_unified_methods_place_find_amend_and_cancel(kraken: KrakenStandIn, client: Any) -> None:
    order = await client.create_order("ZEC/USD", "limit", "buy", 1, 500, {"clientOrderId": "zy1"})
    (shown,) = await client.fetch_open_orders(params={"clientOrderId": "zy1"})
    assert (shown["id"], shown["symbol"], shown["amount"]) == (order["id"], "ZEC/USD", 1.0)
    amended = await client.edit_order(order["id"], "ZEC/USD", "limit", "buy", 2, 501.5)
    assert amended["id"] != order["id"]
    assert kraken.account.records[order["id"]].order.shown.limit_price == Decimal("501.5")
    await client.cancel_order(order["id"])
    (ended,) = await client.fetch_closed_orders()
    assert (ended["status"], ended["clientOrderId"], ended["info"]["reason"]) == ("canceled", "zy1", "User requested")


async def test_a_stop_rests_as_a_stop_and_is_amended_by_its_trigger(kraken: KrakenStandIn, client: Any) -> None:
    kraken.account.deposit("ETH", "1")
    order = await client.create_order("ETH/USD", "market", "sell", 1, None, {"stopLossPrice": 2900})
    await client.edit_order(order["id"], "ETH/USD", "market", "sell", 1, None, {"stopLossPrice": 2950})
    (shown,) = await client.fetch_open_orders()
    assert (shown["info"]["descr"]["ordertype"], shown["stopLossPrice"]) == ("stop-loss", 2950.0)


async def test_balances_fees_trades_and_rights_are_told(kraken: KrakenStandIn, client: Any) -> None:
    await client.privatePostAddOrder(BUY)
    balance = await client.fetch_balance()
    fee = await client.fetch_trading_fee("BTC/USD")
    (trade,) = await client.fetch_my_trades()
    rights = (await client.privatePostGetApiKeyInfo({}))["result"]["permissions"]
    assert (balance["BTC"]["total"], fee["maker"], fee["taker"]) == (0.01, 0.0025, 0.004)
    assert (trade["symbol"], trade["amount"], trade["takerOrMaker"]) == ("BTC/USD", 0.01, "taker")
    assert "modify-trades" in rights
    assert "withdraw-funds" not in rights


async def test_what_the_key_may_not_do_is_refused(kraken: KrakenStandIn, client: Any) -> None:
    kraken.account.permissions.remove("modify-trades")
    with pytest.raises(ccxt.PermissionDenied, match="EGeneral:Permission denied"):
        await client.privatePostAddOrder(BUY)


async def test_a_body_of_json_is_read_like_a_form(kraken: KrakenStandIn, client: Any) -> None:
    with suppress(ccxt.ExchangeError):
        await client.privatePostAddOrder({**BUY, "price": "1%", "validate": True})
    assert kraken.private.asked("AddOrder") == [{**BUY, "price": "1%", "validate": "true"}]


@pytest.mark.parametrize("endpoint", ["CancelAll", "CancelAllOrdersAfter", "EditOrder", "AddOrderBatch", "Withdraw"])
async def test_what_nobody_may_call_is_refused_and_written_down(
    kraken: KrakenStandIn, client: Any, endpoint: str
) -> None:
    with pytest.raises(ccxt.PermissionDenied):
        await getattr(client, f"privatePost{endpoint}")({})
    assert audit(kraken.account) == [f"{endpoint} was called."]


async def test_the_venues_clock_is_the_one_that_deadlines_are_read_on(kraken: KrakenStandIn, client: Any) -> None:
    real = kraken.market.now
    kraken.market.now = lambda: real() + timedelta(seconds=30)
    ours = (real() + timedelta(seconds=10)).isoformat()
    with pytest.raises(ccxt.BaseError, match="EService:Deadline elapsed"):
        await client.privatePostAddOrder({**BUY, "deadline": ours})
    theirs = int((await client.publicGetTime({}))["result"]["unixtime"])
    assert theirs - time.time() > 28


# -- keys and counters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "words"),
    [({"API-Key": "another"}, "EAPI:Invalid key"), ({"API-Sign": "bm90IGl0"}, "EAPI:Invalid signature"), ({}, "")],
)
async def test_key_and_signature_are_checked(kraken: KrakenStandIn, headers: dict[str, str], words: str) -> None:
    assert await raw_call(kraken, "Balance", "1", **headers) == ([words] if words else [])


async def test_a_nonce_that_does_not_grow_is_refused(kraken: KrakenStandIn) -> None:
    answers = [await raw_call(kraken, "Balance", nonce) for nonce in ("5", "5", "4", "6")]
    assert answers == [[], ["EAPI:Invalid nonce"], ["EAPI:Invalid nonce"], []]


async def test_reads_fill_the_counter_orders_do_not_and_time_drains_it(kraken: KrakenStandIn, client: Any) -> None:
    kraken.account.limits = True
    kraken.account.monotonic = lambda: 1000.0
    for _ in range(7):
        await client.privatePostTradesHistory({})
    await client.privatePostOpenOrders({})
    await client.privatePostAddOrder(BUY)
    with pytest.raises(ccxt.NetworkError, match="EAPI:Rate limit exceeded"):
        await client.privatePostOpenOrders({})
    assert (kraken.private.rest_peak, kraken.private.rest_refusals) == (15, 1)
    kraken.account.monotonic = lambda: 1004.0
    await client.privatePostOpenOrders({})


async def test_a_higher_tier_may_ask_more(kraken: KrakenStandIn, client: Any) -> None:
    kraken.account.limits, kraken.tier = True, Tier.PRO
    kraken.account.monotonic = lambda: 1000.0
    for _ in range(20):
        await client.privatePostOpenOrders({})
    assert kraken.private.rest_refusals == 0


# -- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", faults.EVERY_FAULT, ids=str)
async def test_an_order_is_placed_by_every_fault_that_strikes_after_and_by_none_before(
    kraken: KrakenStandIn, client: Any, fault: PrivateFault
) -> None:
    kraken.fail(fault, times=1, endpoint="AddOrder")
    answer = await attempt(client)
    assert fault.text in answer
    assert "'txid'" not in answer
    assert bool(kraken.account.by_name("zy1")) is fault.after
    assert str(fault) in kraken.requests[-1].outcome


async def test_a_broken_body_comes_out_of_a_raw_call_as_text_and_raises_nothing(
    kraken: KrakenStandIn, client: Any
) -> None:
    kraken.fail(faults.BROKEN_JSON_AFTER, times=1)
    answer = await client.privatePostAddOrder(BUY)
    assert isinstance(answer, str)
    assert answer.startswith('{"error": [], "result": {"descr"')


async def test_a_warning_stands_beside_the_id_of_an_order_that_was_placed(kraken: KrakenStandIn, client: Any) -> None:
    kraken.fail(faults.WARNING_BESIDE, times=1)
    with pytest.raises(ccxt.ExchangeError) as failed:
        await client.privatePostAddOrder(BUY)
    (record,) = kraken.account.by_name("zy1")
    assert record.id in str(failed.value)


@pytest.mark.parametrize("after", [False, True])
async def test_a_slow_call_lands_whether_or_not_its_sender_waited(kraken: KrakenStandIn, *, after: bool) -> None:
    async with rest_client(kraken, timeout=100) as impatient:
        kraken.fail(faults.slow(0.3, after=after), times=1, endpoint="AddOrder")
        with pytest.raises(ccxt.RequestTimeout):
            await impatient.privatePostAddOrder(BUY)
        assert bool(kraken.account.by_name("zy1")) is after
        await asyncio.sleep(0.4)
        assert len(kraken.account.by_name("zy1")) == 1


async def test_a_policy_decides_call_by_call(kraken: KrakenStandIn, client: Any) -> None:
    kraken.private.fault = lambda endpoint, params: (
        faults.error("EOrder:Cannot open position") if params.get("cl_ord_id") == "zy2" else None
    )
    await client.privatePostAddOrder(BUY)
    with pytest.raises(ccxt.ExchangeError, match="EOrder:Cannot open position"):
        await client.privatePostAddOrder({**BUY, "cl_ord_id": "zy2"})
    kraken.recover()
    await client.privatePostAddOrder({**BUY, "cl_ord_id": "zy2"})


async def test_an_outage_keeps_the_port_and_the_state(kraken: KrakenStandIn, client: Any) -> None:
    await client.privatePostAddOrder({**BUY, "ordertype": "limit", "price": "90000"})
    await kraken.stop()
    with pytest.raises(ccxt.NetworkError):
        await client.privatePostOpenOrders({})
    kraken.account.trade("BTC/USD", "89000.0")
    await kraken.start()
    (row,) = (await client.privatePostClosedOrders({}))["result"]["closed"].values()
    assert (row["cl_ord_id"], row["vol_exec"]) == ("zy1", "0.01000000")


async def test_every_call_is_written_down_with_what_became_of_it(kraken: KrakenStandIn, client: Any) -> None:
    seen: list[str] = []
    kraken.private.on_request = lambda request: seen.append(request.endpoint)
    await client.privatePostAddOrder(BUY)
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order("OAAAAA-AAAAA-AAAAAA")
    assert [(call.endpoint, call.outcome) for call in kraken.requests] == [
        ("AddOrder", "ok"),
        ("CancelOrder", "EOrder:Unknown order"),
    ]
    assert seen == ["AddOrder", "CancelOrder"]


async def test_two_thousand_calls_are_answered_in_seconds(kraken: KrakenStandIn, client: Any) -> None:
    begun = time.monotonic()
    for number in range(1000):
        await client.privatePostAddOrder({**BUY, "volume": "0.0001", "cl_ord_id": f"zy{number}"})
        await client.privatePostOpenOrders({})
    assert time.monotonic() - begun < 30
    assert audit(kraken.account) == []
    assert {record.order.shown.state for record in kraken.account.records.values()} == {VenueState.CLOSED}


async def test_public_calls_are_answered_by_the_same_server(kraken: KrakenStandIn, client: Any) -> None:
    kraken.account.trade("BTC/USD", "92000.0")
    ticker = await client.fetch_ticker("BTC/USD")
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (92000.0, 92000.1, 92000.0)
    async with aiohttp.ClientSession() as session:
        answers = [await session.get(f"{kraken.url}/0/public/{one}?pair=XBTUSD") for one in ANSWERS]
        assert [(await answer.json())["error"] for answer in answers] == [[]] * len(ANSWERS)
