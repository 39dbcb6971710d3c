"""What each command does and says, on paper, over a market made by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.errors import Code
from core.domain.modes import TargetMode
from core.risk.limits import RiskLimits
from tests.rig import Wiring, open_rig

BOTH = pytest.mark.parametrize("target_mode", [TargetMode.EMULATED, TargetMode.RESTING])


async def test_a_buy_without_levels_uses_the_defaults_and_says_which() -> None:
    async with open_rig() as rig:
        reply = await rig.tell("buy 0.04 ZEC")
        assert "Stop 501.76 (2%, default)" in reply.text
        assert "Target 527.36 (3%, default)" in reply.text


async def test_one_missing_level_is_the_default_and_the_other_is_as_given() -> None:
    async with open_rig() as rig:
        reply = await rig.tell("buy 0.04 ZEC sl 1%")
        assert "(1%)" in reply.text
        assert "(3%, default)" in reply.text


async def test_every_answer_about_orders_begins_with_its_mode() -> None:
    async with open_rig() as rig:
        for text in (
            "buy 0.04 ZEC",
            "open",
            "balance",
            "trades",
            "executed_orders",
            "protect ZEC sl 5%",
            "close ZEC",
            "flatten",
        ):
            assert (await rig.tell(text)).text.startswith("Mode: PAPER."), text


async def test_a_market_order_beyond_the_book_buys_what_is_there_and_says_what_is_not() -> None:
    async with open_rig() as rig:
        rig.hand.put_book("ZEC/USD", {"511.9": "5"}, {"512": "0.03", "513": "0.02"})
        reply = await rig.tell("buy 0.1 ZEC sl 10% tp 10%")
        assert "Bought 0.05 ZEC (ZEC/USD) at 512.4" in reply.text
        assert "0.05 of 0.1 ZEC was not bought" in reply.text
        assert {order.quantity for order in await rig.exchange.fetch_open_orders()} == {Decimal("0.05")}


async def test_a_waiting_entry_shows_its_planned_legs_and_each_fill_of_it_is_protected() -> None:
    async with open_rig() as rig:
        reply = await rig.tell("buy 1 SOL limit 130 sl 1% tp 2%")
        assert "Waiting to buy 1 SOL" in reply.text
        assert "Planned when it fills: stop 128.7 (1%), target 132.6 (2%)." in reply.text
        rig.hand.trade("SOL/USD", "129.99", "0.4")
        await rig.tick()
        shown = await rig.tell("open")
        assert {(one["role"], one["quantity"]) for one in shown.data["orders"]} == {
            ("entry", "0.6"),
            ("stop", "0.4"),
            ("target", "0.4"),
        }


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("buy 0.04 ZEC sl 600", Code.STOP_LOSS, "not below the entry"),
        ("buy 0.04 ZEC tp 500", Code.TAKE_PROFIT, "not above the entry"),
        ("buy 0.04 ZEC sl 2 atr", Code.STOP_LOSS, "not enough history"),
        ("buy 0.001 ZEC", Code.MINIMUM, "0.01 ZEC or more"),
        ("buy 0.01 ADA", Code.NO_PRICES, "no price for ADA/USD"),
        ("buy 1 SOL limit 900", Code.PRICE_COLLAR, "above the ask"),
        ("sell 0.1 ETH", Code.NO_POSITION, "nothing to sell"),
        ("sell 0.1 ETH sl 1%", Code.SPOT_ONLY, "protect"),
        ("close BTC", Code.NO_POSITION, "nothing was closed"),
        ("cancel PX-000123", Code.NOT_FOUND, "no order PX-000123"),
        ("cancel all", Code.NOT_FOUND, "no entry waits"),
        ("protect BTC sl 1%", Code.NO_POSITION, "no open BTC/USD"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_code_and_what_would_be_right(
    text: str, code: Code, said: str
) -> None:
    async with open_rig() as rig:
        reply = await rig.tell(text)
        assert (reply.ok, reply.code) == (False, code)
        assert said in reply.text
        assert rig.desk.ledger.unfinished() == ()
        assert await rig.exchange.fetch_open_orders() == []


async def test_old_prices_refuse_new_entries_and_say_their_age() -> None:
    async with open_rig() as rig:
        rig.time.pass_s(31)
        reply = await rig.tell("buy 0.04 ZEC")
        assert reply.code is Code.STALE_PRICES
        assert "31 s old" in reply.text
        assert "31 s old" in (await rig.tell("price ZEC")).text


@BOTH
async def test_selling_a_part_leaves_the_oldest_first_and_keeps_the_rest_covered(target_mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=target_mode)) as rig:
        for text in ("buy 0.1 ZEC", "buy 0.2 ZEC"):
            await rig.tell(text)
        reply = await rig.tell("sell 0.15 ZEC")
        assert reply.ok, reply.text
        assert [bracket.held for bracket in rig.desk.ledger.unfinished()] == [Decimal("0.15")]
        stops = [order for order in await rig.exchange.fetch_open_orders() if order.trigger_price]
        assert [order.quantity for order in stops] == [Decimal("0.15")]


async def test_selling_more_than_ours_is_denied_with_both_numbers() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC")
        reply = await rig.tell("sell 0.2 ZEC")
        assert reply.code is Code.NOT_OURS
        assert "0.2" in reply.text
        assert "0.1" in reply.text


async def test_a_limit_sale_of_protected_coins_becomes_their_target() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC")
        reply = await rig.tell("sell 0.1 ZEC limit 550")
        assert reply.ok, reply.text
        assert [one["price"] for one in (await rig.tell("open")).data["orders"] if one["role"] == "target"] == ["550"]
        assert (await rig.tell("sell 0.05 ZEC limit 560")).code is Code.AMOUNT


@BOTH
async def test_protect_moves_the_levels_of_every_bracket_of_the_symbol(target_mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=target_mode)) as rig:
        await rig.tell("buy 0.1 ZEC")
        await rig.tell("buy 0.2 ZEC")
        reply = await rig.tell("protect ZEC sl 505 tp 540")
        assert reply.ok, reply.text
        prices = {(one["role"], one["price"]) for one in (await rig.tell("open")).data["orders"]}
        assert prices == {("stop", "505"), ("target", "540")}


async def test_break_even_puts_the_stop_at_the_average_entry() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC")
        assert (await rig.tell("move the stop of ZEC to break even")).code is Code.STOP_LOSS
        rig.hand.price("ZEC/USD", "520")
        reply = await rig.tell("move the stop of ZEC to break even")
        assert reply.ok, reply.text
        assert [str(order.trigger_price) for order in await rig.exchange.fetch_open_orders()] == ["512.00"]


async def test_a_leg_cannot_be_canceled_away_from_its_position() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC")
        for order in (await rig.tell("open")).data["orders"]:
            assert (await rig.tell(f"cancel {order['id']}")).code is Code.NAKED
        assert len((await rig.tell("open")).data["orders"]) == 2


async def test_cancel_takes_back_the_entry_and_keeps_what_it_had_bought() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 SOL limit 130 sl 1% tp 2%")
        rig.hand.trade("SOL/USD", "129.99", "0.4")
        await rig.tick()
        reply = await rig.tell("cancel SOL")
        assert "0.4 were bought before and stay protected" in reply.text
        assert [bracket.held for bracket in rig.desk.ledger.unfinished()] == [Decimal("0.4")]


@BOTH
async def test_flatten_leaves_nothing_at_the_venue_and_is_safe_to_repeat(target_mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=target_mode)) as rig:
        for text in ("buy 0.1 ZEC", "buy 0.01 ETH", "buy 1 SOL limit 100"):
            await rig.tell(text)
        reply = await rig.tell("flatten")
        assert reply.ok, reply.text
        assert "No positions.\nNo open orders." in reply.text
        assert await rig.exchange.fetch_open_orders() == []
        assert "Already flat" in (await rig.tell("flatten")).text


@BOTH
async def test_the_force_test_shows_each_step_and_leaves_nothing_open(target_mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=target_mode)) as rig:
        reply = await rig.tell("force_trade_test ZEC")
        assert reply.ok, reply.text
        assert reply.text.count("✓") == 7
        assert "sibling canceled by the tick" in reply.text
        assert {receipt.role for receipt in reply.receipts} == {"entry", "stop", "target"}
        assert rig.desk.ledger.unfinished() == ()


async def test_the_diagnostic_names_what_failed_in_plain_words() -> None:
    async with open_rig() as rig:
        assert "Everything works." in (await rig.tell("run full system diagnostic")).text
        assert rig.desk.ledger.executed() == []
        rig.hand.down = True
        reply = await rig.tell("run full system diagnostic")
        assert not reply.ok
        assert "✗ Market data: the market of this test is down." in reply.text


async def test_a_too_large_order_is_reduced_where_the_owner_allows_it_and_says_so() -> None:
    limits = replace(RiskLimits(), max_order_quote=Decimal(100), reduce_to_fit=True)
    async with open_rig(Wiring(limits=limits)) as rig:
        reply = await rig.tell("buy 1 ZEC sl 1%")
        assert reply.ok, reply.text
        assert "reduced from 1 to 0.1953125" in reply.text


async def test_open_names_the_other_desk_and_status_names_the_mode() -> None:
    async with open_rig() as rig:
        assert "LIVE: not set up." in (await rig.tell("open")).text
        assert "Active mode: PAPER." in (await rig.tell("what mode are we in?")).text
        assert (await rig.tell("mode live")).code is Code.LIVE_UNAVAILABLE


async def test_help_lists_every_command_with_an_example() -> None:
    async with open_rig() as rig:
        text = (await rig.tell("help")).text
        for name in ("buy", "sell", "open", "autopilot", "diagnostic"):
            assert f"/{name} – " in text
        assert "jimmy" in text


async def test_the_balance_counts_everything_once() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        reply = await rig.tell("balance")
        assert reply.data["equity"] == "9999.7952"
        assert "ZEC 0.1, 0.1 in open orders" in reply.text
