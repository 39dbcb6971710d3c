"""Stories in which Zyn could have broken its word: each was once possible."""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.commands.exiting import exit_reply
from core.domain.brackets import BracketState, ExitReason
from core.domain.errors import Code
from core.domain.market import Quote, Tape
from core.domain.modes import TargetMode, TradingState
from core.domain.orders import Role
from core.domain.venue import Action, Outcome
from core.exchange.port import Exchange
from core.ledger.rows import ORDERS
from core.risk.limits import RiskLimits
from core.trading import say
from core.trading.leaving import Left
from core.trading.tick import TickReport
from tests.core.trading.faults import FaultyExchange
from tests.rig import HandMarket, Rig, SettableClock, Wiring, hand_market, open_rig

BOTH = pytest.mark.parametrize("target_mode", [TargetMode.EMULATED, TargetMode.RESTING])


class SlowMarket(HandMarket):
    """A market that gives way to others before each answer, as a network does."""

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        await asyncio.sleep(0)
        return await super().quotes(symbols)

    async def tape(self, symbol: str, since: object) -> Tape:
        found = await super().tape(symbol, since)  # type: ignore[arg-type]
        await asyncio.sleep(0.001)
        return found


def _slow() -> Wiring:
    clock = SettableClock()
    market = SlowMarket(clock)
    for symbol, quote in hand_market(clock).last.items():
        market.price(symbol, quote.last)
    return Wiring(market=market, clock=clock)


async def test_moving_the_stop_leaves_a_target_that_was_given_in_r_where_it_is() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3R")
        rig.hand.trade("ZEC/USD", "530")
        await rig.tick()
        before = rig.desk.ledger.unfinished()[0].target_price
        assert (await rig.tell("move the stop of ZEC to break even")).ok
        assert rig.desk.ledger.unfinished()[0].target_price == before
        assert rig.desk.ledger.unfinished()[0].held == 1


@BOTH
async def test_on_old_prices_a_close_is_denied_and_the_stop_stays(target_mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=target_mode)) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        rig.time.pass_s(60)
        for text in ("close ZEC", "sell 0.5 ZEC", "flatten"):
            assert (await rig.tell(text)).code is Code.STALE_PRICES
        stops = [order for order in await rig.exchange.fetch_open_orders() if order.trigger_price is not None]
        assert [order.quantity for order in stops] == [Decimal(1)]


async def test_a_stop_rests_also_while_no_price_can_be_read() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 SOL limit 130 SL 2% TP 3%")
        rig.hand.trade("SOL/USD", "129")
        await rig.exchange.advance()
        rig.time.pass_s(60)
        await rig.tick()
        assert [order.type.value for order in await rig.exchange.fetch_open_orders()] == ["stop-loss"]


async def test_one_print_fills_once_however_many_look_at_it() -> None:
    async with open_rig(_slow()) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        rig.hand.trade("ZEC/USD", "499", "0.1")
        await asyncio.gather(rig.tick(), rig.tick(), rig.tick())
        assert rig.desk.ledger.unfinished()[0].bought == Decimal("0.1")


async def test_what_an_order_took_out_of_the_book_is_not_sold_into_again() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 5 ZEC SL 10% TP 10%")
        rig.hand.put_book("ZEC/USD", {"511": "1"}, {"513": "1"})
        reply = await rig.tell("close ZEC")
        assert not reply.ok
        assert "Sold 1 of 5" in reply.text
        stops = [order for order in await rig.exchange.fetch_open_orders() if order.trigger_price is not None]
        assert sum(order.quantity for order in stops) == 4
        for _ in range(4):
            rig.time.pass_s(6)
            rig.hand.price("ZEC/USD", "512")
            await rig.tick()
        assert rig.desk.ledger.unfinished() == ()


async def test_a_market_order_that_would_climb_a_thin_book_is_denied() -> None:
    async with open_rig(Wiring(limits=RiskLimits())) as rig:
        rig.hand.put_book("ZEC/USD", {"511": "1"}, {"512": "0.5", "2000": "100"})
        reply = await rig.tell("buy 4 ZEC SL 1% TP 2%")
        assert reply.code is Code.PRICE_COLLAR
        assert "2000" in reply.text


async def test_a_stop_between_the_ask_and_a_limit_above_it_is_denied() -> None:
    async with open_rig(Wiring(limits=RiskLimits())) as rig:
        reply = await rig.tell("buy 1 ZEC limit 560 SL 550 TP 600")
        assert reply.code is Code.STOP_LOSS


async def test_a_stop_that_never_gets_an_answer_ends_in_a_sale_and_a_reducing_desk() -> None:
    async with open_rig(Wiring(wrap=FaultyExchange)) as rig:
        exchange = rig.exchange
        assert isinstance(exchange, FaultyExchange)
        exchange.lose_request.add("stop")
        reply = await rig.tell("buy 1 ZEC SL 2% TP 3%")
        seen = set()
        for _ in range(12):
            rig.time.pass_s(10)
            rig.hand.price("ZEC/USD", "512")
            await rig.tick()
            seen.add(rig.desk.state)
        bracket = rig.desk.ledger.bracket(reply.data["bracket"])
        assert bracket is not None
        assert (bracket.state, bracket.close_reason) == (BracketState.CLOSED, ExitReason.UNPROTECTED)
        assert TradingState.REDUCING in seen


async def test_a_market_that_dies_between_fill_and_tick_does_not_hide_the_fill() -> None:
    class Dying(FaultyExchange):
        async def perform(self, action: Action) -> Outcome:
            outcome = await super().perform(action)
            rig.hand.down = True
            return outcome

    async with open_rig(Wiring(wrap=Dying)) as rig:
        reply = await rig.tell("buy 1 ZEC SL 2% TP 3%")
        assert "Bought 1 ZEC" in reply.text or reply.code is Code.UNKNOWN
        rig.hand.down = False
        assert "ZEC 1" in (await rig.tell("balance")).text


async def test_what_is_sent_is_already_in_the_database_for_everybody_else(tmp_path: Path) -> None:
    file = tmp_path / "zyn.db"
    seen: list[tuple[str, object]] = []

    class Witness(FaultyExchange):
        async def perform(self, action: Action) -> Outcome:
            with closing(sqlite3.connect(file)) as other:
                query = f'SELECT state, cancel_asked FROM "{ORDERS.name}" WHERE client_id = ?'
                seen.append((type(action).__name__, other.execute(query, [action.order.client_id]).fetchone()))
            return await super().perform(action)

    async with open_rig(Wiring(database_url=f"sqlite:///{file}", wrap=Witness)) as rig:
        assert (await rig.tell("buy 1 ZEC SL 2% TP 3%")).ok
        assert (await rig.tell("close ZEC")).ok
    assert seen == [
        ("Submit", ("submitting", 0)),
        ("Submit", ("submitting", 0)),
        ("Cancel", ("open", 1)),
        ("Submit", ("submitting", 0)),
    ]


async def test_a_fill_whose_reply_died_with_the_process_is_told_after_the_restart() -> None:
    class Killed(FaultyExchange):
        async def perform(self, action: Action) -> Outcome:
            await super().perform(action)
            raise ConnectionAbortedError("killed between the fill and its reply")

    async with open_rig(Wiring(wrap=Killed)) as rig:
        assert (await rig.tell("buy 1 ZEC SL 2% TP 3%")).code is Code.INTERNAL
        again = await replace(rig, wiring=replace(rig.wiring, wrap=lambda exchange: exchange)).reopen()
        told = [alert.text for alert in again.store.waiting_alerts()]
        assert sum(text.startswith("Bought 1 ZEC at ") for text in told) == 1


async def test_two_orders_at_once_cannot_spend_the_same_room() -> None:
    wiring = _slow()
    limits = RiskLimits(exposure_pct_max=Decimal(50), max_order_quote=Decimal(100_000), risk_pct_max=Decimal(100))
    async with open_rig(Wiring(market=wiring.market, clock=wiring.clock, limits=limits)) as rig:
        replies = await asyncio.gather(rig.tell("buy $4500 of ZEC"), rig.tell("buy $4500 of ETH"))
        assert sorted(str(reply.code) for reply in replies) == ["EXPOSURE", "None"]


async def test_a_close_that_finds_the_position_gone_says_how_it_ended() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        async with rig.desk.lock("ZEC"):
            closing = asyncio.create_task(rig.tell("close ZEC"))
            await asyncio.sleep(0.01)
            _stop_fires_behind_the_lock(rig)
        reply = await closing
        assert "ZEC/USD" in reply.text
        assert "result" in reply.text


def _stop_fires_behind_the_lock(rig: Rig) -> None:
    """The stop is hit while the close waits for its turn; the close finds it out by itself."""
    rig.hand.trade("ZEC/USD", "495")


async def test_what_the_venue_filled_is_shown_before_the_tick_has_seen_it() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 SOL limit 130 SL 2% TP 3%")
        rig.hand.trade("SOL/USD", "129")
        await rig.exchange.advance()
        shown = await rig.tell("open")
        assert [one["quantity"] for one in shown.data["positions"]] == ["1"]


async def test_selling_what_has_filled_leaves_the_rest_of_the_entry_waiting() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 SOL limit 130 SL 2% TP 3%")
        rig.hand.trade("SOL/USD", "129", "0.3")
        await rig.tick()
        reply = await rig.tell("sell 0.3 SOL")
        assert reply.ok, reply.text
        entry = rig.desk.ledger.unfinished()[0].entry
        assert entry is not None
        assert (entry.filled, entry.is_terminal) == (Decimal("0.3"), False)


async def test_the_pause_after_a_target_that_failed_is_not_owed_to_a_sale_that_somebody_wants() -> None:
    def refuse(exchange: Exchange) -> Exchange:
        return FaultyExchange(exchange, refuse={"target": "EOrder:Insufficient funds"})

    for wish in ("close ZEC", "sell 0.5 ZEC", "flatten"):
        async with open_rig(Wiring(wrap=refuse)) as rig:
            await rig.tell("buy 1 ZEC sl 1% tp 2%")
            rig.hand.price("ZEC/USD", "530")
            await rig.tick()
            [bracket] = rig.desk.ledger.unfinished()
            assert bracket.target_retry_at is not None
            assert bracket.target_retry_at > rig.time()
            reply = await rig.tell(wish)
            assert reply.ok, f"{wish}: {reply.text}"
            assert reply.text.startswith("Mode: PAPER.\nSold ")


async def test_a_force_test_that_loses_the_market_in_the_middle_has_failed_and_was_not_denied() -> None:
    async with open_rig() as rig:
        settle = rig.desk.settle

        async def then_dark(base: str) -> TickReport:
            report = await settle(base)
            rig.hand.down = True
            return report

        rig.desk.settle = then_dark  # type: ignore[method-assign]
        reply = await rig.tell("force_trade_test ZEC")
        assert reply.code is Code.TEST_FAILED
        assert [receipt.role for receipt in reply.receipts][:1] == ["entry"]
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_a_sale_does_not_count_what_the_stop_had_sold_before_it() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        rig.time.pass_s(6)
        rig.hand.trade("ZEC/USD", "480", "0.4")
        await rig.tick()
        [before] = rig.desk.ledger.unfinished()
        assert (before.sold, before.held) == (Decimal("0.4"), Decimal("0.6"))
        rig.hand.trade("ZEC/USD", "470", "0.5")
        await rig.tick()
        [after] = rig.desk.ledger.unfinished()
        left = Left(before, after)
        assert [order.filled for order in left.orders] == [Decimal("0.9")]
        [sale] = left.sales
        assert (sale.filled, sale.average, left.sold) == (Decimal("0.5"), Decimal("469.9"), Decimal("0.5"))
        assert sale.fee == after.orders[1].fee - before.orders[1].fee > 0
        assert "Sold 0.5 of 0.6 ZEC" in say.sold_line("ZEC/USD", left.sales, before.held)


async def test_a_stop_that_is_seen_to_sell_before_its_entry_is_seen_to_buy_sells_no_more_than_was_there() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        [before] = rig.desk.ledger.unfinished()
        rig.time.pass_s(6)
        rig.hand.trade("ZEC/USD", "480", "0.4")
        await rig.tick()
        [after] = rig.desk.ledger.unfinished()
        late = {order: replace(order, filled=Decimal("0.3")) for order in after.orders if order.role is Role.ENTRY}
        blind = replace(after, id="zyseen", orders=tuple(late.get(order, order) for order in after.orders))
        reply = await exit_reply(rig.desk, [Left(replace(before, id="zyseen", orders=()), blind)])
        assert "Sold 0.4 of 0.4 ZEC" in reply.text
        assert "Not all that ZEC/USD bought is seen yet; 'open' will tell what remains." in reply.text
        assert "-0.1" not in reply.text
