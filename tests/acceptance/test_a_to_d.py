"""Tests A to D, as the owner named them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from bot.llm.lazy import make_agent
from bot.settings import Settings, load_settings
from bot.talk import Talk
from bot.wiring import House, open_house
from core.domain.modes import Mode, TargetMode
from core.domain.orders import OrderType, Role, Side
from core.exchange.kraken_private import KrakenExchangeWrapper
from core.exchange.paper import PaperExchangeWrapper
from core.trading.reply import Reply
from storage.database import open_database
from tests.live_kit import live_settings
from tests.rig import Rig, Wiring, open_rig
from tests.standins.kraken import KrakenStandIn

ORDER = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
OPEN = "Show open positions and open orders."


def _settings(tmp_path: Path, **overrides: object) -> Settings:
    given = {"market": "generated", "database_url": f"sqlite:///{tmp_path}/zyn.db", **overrides}
    return load_settings({}, tmp_path / "no.env", given)


@pytest.mark.parametrize("target_mode", [TargetMode.EMULATED, TargetMode.RESTING])
async def test_a_manual_paper_trade_shows_in_the_open_orders_of_its_exchange(target_mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=target_mode)) as rig:
        reply = await rig.tell(ORDER)
        assert reply.ok, reply.text
        orders = await rig.exchange.fetch_open_orders()
        assert {(order.symbol, order.quantity) for order in orders} == {("ZEC/USD", Decimal("0.04"))}
        assert len(orders) == (2 if target_mode is TargetMode.RESTING else 1)
        shown = await rig.tell(OPEN)
        assert shown.text.startswith("Mode: PAPER.")
        assert [(one["role"], one["quantity"]) for one in shown.data["orders"] if one["symbol"] == "ZEC/USD"] in (
            [("stop", "0.04"), ("target", "0.04")],
            [("target", "0.04"), ("stop", "0.04")],
        )


async def test_b_live_execution_and_open_use_the_same_kraken_wrapper_and_never_the_paper_ledger(tmp_path: Path) -> None:
    async with KrakenStandIn(balances={"USD": Decimal(10000)}) as kraken:
        house = await open_house(live_settings(tmp_path, kraken))
        try:
            await house.service.start()
            desk = house.service.desk(Mode.LIVE)
            assert isinstance(desk.exchange, KrakenExchangeWrapper)
            assert desk.ready, desk.not_ready_because
            talk = Talk(house.approvals, house.grammar)
            bought = await talk.answer("console", "buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
            assert bought.ok, bought.text
            assert bought.mode is Mode.LIVE
            assert {receipt.exchange for receipt in bought.receipts} == {"KrakenExchangeWrapper"}
            _assert_the_wire_shows_what_was_meant(kraken)
            shown = await talk.answer("console", OPEN)
            assert shown.text.startswith("Mode: LIVE.")
            resting = [record.order.shown.venue_id for record in kraken.account.open_records()]
            assert [one["id"] for one in shown.data["orders"] if one["where"] == "resting"] == resting
            assert len(resting) == 1
            _assert_paper_untouched(house)
        finally:
            await house.close()
        assert kraken.private.forbidden == []


def _assert_the_wire_shows_what_was_meant(kraken: KrakenStandIn) -> None:
    [entry] = kraken.private.asked("AddOrder")
    assert {name: entry[name] for name in ("pair", "type", "ordertype", "volume", "oflags")} == {
        "pair": "XZECZUSD", "type": "buy", "ordertype": "market", "volume": "0.04", "oflags": "fciq",
    }  # fmt: skip
    assert (entry["close[ordertype]"], entry["close[price]"]) == ("stop-loss", "505.1")
    assert "deadline" in entry
    assert entry["cl_ord_id"].startswith("zy")
    [stop] = [record.order.shown for record in kraken.account.open_records()]
    assert (stop.side, stop.type, stop.quantity) == (Side.SELL, OrderType.STOP_LOSS, Decimal("0.04"))
    assert stop.trigger_price == Decimal("505.10")


def _assert_paper_untouched(house: House) -> None:
    with house.database.transaction() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM paper_order").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM orders WHERE mode = 'PAPER'").scalar_one() == 0


async def _text_to_open(house: House, talk: Talk, text: str) -> tuple[Reply, Reply]:
    exchange = house.service.desk(Mode.PAPER).exchange
    assert isinstance(exchange, PaperExchangeWrapper)
    reply = await talk.answer("telegram:1", text)
    shown = await talk.answer("telegram:1", "/open") if talk.grammar else reply
    return reply, shown


async def test_c_a_message_becomes_a_persisted_paper_order_through_the_grammar(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    house = await open_house(settings)
    try:
        await house.service.start()
        reply, shown = await _text_to_open(house, Talk(house.approvals, house.grammar), ORDER)
        assert reply.ok, reply.text
        assert [one["quantity"] for one in shown.data["positions"]] == ["0.04"]
    finally:
        await house.close()
    assert _stored_orders(settings) == [("entry", "0.04"), ("stop", "0.04"), ("target", "0.04")]


async def test_c_a_tool_call_of_the_model_becomes_a_persisted_paper_order_when_the_grammar_is_off(
    tmp_path: Path,
) -> None:
    settings = _settings(tmp_path, openai_base_url="http://127.0.0.1:9/v1")
    house = await open_house(settings)
    try:
        await house.service.start()
        agent = make_agent(settings, house.approvals, house.grammar, house.store)
        with respx.mock(assert_all_called=True) as router:
            route = router.post("http://127.0.0.1:9/v1/chat/completions").mock(side_effect=_model)
            reply = await Talk(house.approvals, None, agent).answer(
                "telegram:1", "my pocket wants to buy 0.04 zcash, 1% stop, 2% target"
            )
        assert route.call_count == 1
        assert reply.ok, reply.text
        assert reply.text.startswith("Mode: PAPER.\nBought 0.04 ZEC")
        shown = await Talk(house.approvals, house.grammar).answer("telegram:1", OPEN)
        assert len(shown.data["orders"]) == 2
    finally:
        await house.close()
    assert _stored_orders(settings) == [("entry", "0.04"), ("stop", "0.04"), ("target", "0.04")]


def _model(request: httpx.Request) -> httpx.Response:
    """A model that answers any message with one call of the tool `buy`."""
    asked: dict[str, Any] = json.loads(request.content)
    assert "buy" in {tool["function"]["name"] for tool in asked["tools"]}
    level = {"unit": "percent"}
    arguments = {
        "symbol": "ZEC/USD",
        "amount": {"value": "0.04", "unit": "base"},
        "order_type": "market",
        "limit_price": None,
        "stop_loss": {"value": "1", **level},
        "take_profit": {"value": "2", **level},
        "mode": "PAPER",
    }
    call = {"id": "c1", "type": "function", "function": {"name": "buy", "arguments": json.dumps(arguments)}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return httpx.Response(200, json=body)


def _stored_orders(settings: Settings) -> list[tuple[str, str]]:
    """(role, quantity) of every order in the ledger, read from the database file by a fresh connection."""
    database = open_database(settings.database_url)
    try:
        with database.transaction() as connection:
            rows = connection.exec_driver_sql("SELECT role, quantity FROM orders ORDER BY client_id").all()
            return [(str(role), format(Decimal(str(quantity)).normalize(), "f")) for role, quantity in rows]
    finally:
        database.close()


async def test_d_every_way_to_trade_appears_exactly_once_in_trades_and_executed_orders() -> None:
    async with open_rig() as rig:
        await _trade_in_every_way(rig)
        executed = rig.desk.ledger.executed()
        filled = {order.venue_id: order for order in _paper_orders(rig) if order.filled > 0}
        for text in ("trades", "executed_orders"):
            reply = await rig.tell(text)
            lines = [line for line in reply.lines if line.startswith("• ")]
            for item in executed:
                mine = [line for line in lines if f"· {item.order.venue_id} ·" in line]
                assert len(mine) == 1, f"{item.order.venue_id} appears {len(mine)} times in {text}"
                _assert_complete(mine[0], item.order.average, item.bracket.source.value)
            assert len(lines) == len(executed) == len(filled)
            assert sorted(reply.data["orders"]) == sorted(item.order.client_id for item in executed)
        unfilled = [order.venue_id for order in _paper_orders(rig) if order.filled == 0]
        assert unfilled, "the test must have orders that never filled"
        assert not set(unfilled) & {item.order.venue_id for item in executed}
        roles = {(item.order.role, item.bracket.source.value) for item in executed}
        assert {(Role.STOP, "command"), (Role.TARGET, "command"), (Role.EXIT, "command")} <= roles
        assert {(Role.ENTRY, "force_test"), (Role.TARGET, "force_test")} <= roles


async def _trade_in_every_way(rig: Rig) -> None:
    """Buy, sell, bracket, close, flatten, force test, both kinds of leg, and an entry that never fills."""
    for text in (
        "buy 0.4 ZEC SL 1% TP 2%",
        "sell 0.1 ZEC",
        "bracket 0.01 ETH SL 1% TP 2%",
        "close ETH",
        "buy 1 SOL SL 1% TP 2%",
        "flatten",
        "force_trade_test BTC",
        "buy 0.5 ETH limit 1000 SL 1% TP 2%",
    ):
        reply = await rig.tell(text)
        assert reply.ok, reply.text
    await rig.tell("buy 100 DOGE SL 1% TP 2%")
    rig.hand.trade("DOGE/USD", "0.15")
    await rig.tick()
    await rig.tell("buy 1 SOL SL 1% TP 2%")
    rig.hand.trade("SOL/USD", "141")
    await rig.tick()
    assert (await rig.tell("cancel ETH")).ok


def _paper_orders(rig: Rig) -> list[Any]:
    with rig.database.transaction() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SELECT client_id FROM paper_order").all()]
    return [order.shown for order in rig.paper.find(names)]


def _assert_complete(line: str, price: Decimal | None, source: str) -> None:
    assert price is not None
    assert f"at {format(price.normalize(), 'f')} " in line
    assert f"· {source} ·" in line
    assert "· SL " in line
    assert "· TP " in line
    assert "N/A" not in line
    assert "2026-11-20 " in line
