"""The paper venue as an exchange: through the desk that uses it, with the books read back from the database."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

from core.domain.modes import TargetMode
from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.domain.venue import Accepted, Amend, Cancel, Refused, Submit, VenueState
from core.exchange.errors import MarketDownError
from core.exchange.paper import PaperExchangeWrapper
from tests.rig import START, Wiring, open_rig

D = Decimal
ZEC = "ZEC/USD"


def intent(name: str, quantity: str, side: Side = Side.BUY, *, limit: str | None = None) -> Order:
    return Order(
        client_id=name,
        bracket_id="zy00000001",
        role=Role.ENTRY if side is Side.BUY else Role.EXIT,
        side=side,
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        quantity=D(quantity),
        state=OrderState.SUBMITTING,
        created_at=START,
        deadline=START + timedelta(seconds=10),
        limit_price=D(limit) if limit else None,
    )


async def test_an_accepted_order_rests_under_its_client_id() -> None:
    async with open_rig() as rig:
        outcome = await rig.exchange.perform(Submit(intent("a-1", "0.04", limit="500"), ZEC))
        assert outcome == Accepted("PX-000001")
        resting = await rig.exchange.fetch_open_orders(ZEC)
        assert [(one.client_id, one.quantity, one.limit_price) for one in resting] == [("a-1", D("0.04"), D(500))]
        assert await rig.exchange.fetch_open_orders("ETH/USD") == []


async def test_a_refusal_is_an_answer_and_not_an_exception() -> None:
    async with open_rig() as rig:
        too_small = await rig.exchange.perform(Submit(intent("a-1", "0.001"), ZEC))
        unheard = await rig.exchange.perform(Submit(intent("a-2", "1"), "XYZ/USD"))
        gone = await rig.exchange.perform(Cancel(intent("a-3", "1"), ZEC))
    assert too_small == Refused("EGeneral:Invalid arguments:volume minimum not met")
    assert unheard == Refused("EQuery:Unknown asset pair")
    assert gone == Refused("EOrder:Unknown order")


async def test_without_a_young_price_nothing_trades_and_what_only_rests_still_can() -> None:
    async with open_rig() as rig:
        order = intent("a-1", "0.04", limit="500")
        await rig.exchange.perform(Submit(order, ZEC))
        rig.time.pass_s(31)
        placed = await rig.exchange.perform(Submit(intent("a-2", "0.04"), ZEC))
        amended = await rig.exchange.perform(Amend(order, ZEC, D("0.05"), D(500), None))
        rig.hand.down = True
        canceled = await rig.exchange.perform(Cancel(order, ZEC))
    assert placed == Refused("EService:Unavailable (no fresh price)")
    assert amended == Accepted("PX-000001")
    assert canceled == Accepted("PX-000001")


async def test_a_snapshot_shows_open_orders_wanted_closed_ones_and_balances() -> None:
    async with open_rig() as rig:
        await rig.exchange.perform(Submit(intent("a-1", "0.04"), ZEC))
        await rig.exchange.perform(Submit(intent("a-2", "0.04", limit="500"), ZEC))
        snapshot = await rig.exchange.snapshot(["a-1", "a-9"])
        again = await (await rig.reopen()).exchange.snapshot(["a-1", "a-9"])
    assert {name: one.state for name, one in snapshot.orders.items()} == {
        "a-1": VenueState.CLOSED,
        "a-2": VenueState.OPEN,
    }
    assert (snapshot.complete, snapshot.nameless) == (True, {})
    assert snapshot.balances["ZEC"].total == D("0.04")
    assert snapshot.balances["USD"].held == D("20.08")
    assert (again.orders, again.balances) == (snapshot.orders, snapshot.balances)


async def test_the_market_is_matched_once_however_often_the_venue_advances() -> None:
    async with open_rig() as rig:
        await rig.exchange.perform(Submit(intent("a-1", "0.04", limit="500"), ZEC))
        rig.hand.trade(ZEC, "499", "0.01")
        for _ in range(3):
            await rig.exchange.advance()
        again = await rig.reopen()
        await again.exchange.advance()
        assert (await again.exchange.snapshot(["a-1"])).orders["a-1"].filled == D("0.01")


async def test_what_traded_before_the_first_resting_order_is_never_matched() -> None:
    async with open_rig() as rig:
        rig.hand.trade(ZEC, "400")
        rig.hand.trade(ZEC, "512")
        await rig.exchange.perform(Submit(intent("a-1", "0.04", limit="500"), ZEC))
        await rig.exchange.advance()
        assert (await rig.exchange.snapshot([])).orders["a-1"].filled == D(0)


async def test_fills_after_downtime_say_so_and_ordinary_ones_do_not() -> None:
    async with open_rig() as rig:
        await rig.exchange.perform(Submit(intent("a-1", "0.04", limit="500"), ZEC))
        rig.hand.trade(ZEC, "499", "0.01")
        await rig.exchange.advance()
        first = (await rig.exchange.snapshot([])).orders["a-1"]
        rig.time.pass_s(3600)
        rig.hand.trade(ZEC, "499", "0.01")
        again = await rig.reopen()
        second = (await again.exchange.snapshot([])).orders["a-1"]
    assert (first.filled, first.caught_up) == (D("0.01"), False)
    assert (second.filled, second.caught_up) == (D("0.02"), True)


async def test_a_quick_restart_in_a_quiet_market_calls_no_fill_missed() -> None:
    async with open_rig() as rig:
        await rig.exchange.perform(Submit(intent("a-1", "0.04", limit="500"), ZEC))
        for _ in range(120):
            rig.time.pass_s(30)
            await rig.exchange.advance()
        rig.hand.price(ZEC, "512")
        again = await rig.reopen()
        rig.hand.trade(ZEC, "499")
        await again.exchange.advance()
        shown = (await again.exchange.snapshot(["a-1"])).orders["a-1"]
    assert (shown.filled, shown.caught_up) == (D("0.04"), False)


async def test_an_advance_that_cannot_read_the_market_changes_nothing_and_is_made_up_for() -> None:
    async with open_rig() as rig:
        await rig.exchange.perform(Submit(intent("a-1", "0.04", limit="500"), ZEC))
        rig.hand.trade(ZEC, "499", "0.01")
        rig.hand.down = True
        with pytest.raises(MarketDownError):
            await rig.exchange.advance()
        rig.hand.down = False
        await rig.exchange.advance()
        assert (await rig.exchange.snapshot([])).orders["a-1"].filled == D("0.01")


async def test_a_fill_that_could_not_be_saved_is_not_shown_and_happens_at_the_next_advance() -> None:
    async with open_rig() as rig:
        order = intent("a-1", "0.04", limit="500")
        await rig.exchange.perform(Submit(order, ZEC))
        rig.hand.trade(ZEC, "499")

        def fail(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.startswith("INSERT INTO paper_fill "):
                raise OSError("no space left on device")

        event.listen(rig.database.engine, "before_cursor_execute", fail)
        with pytest.raises(OSError, match="no space left"):
            await rig.exchange.advance()
        event.remove(rig.database.engine, "before_cursor_execute", fail)
        assert (await rig.exchange.snapshot(["a-1"])).orders["a-1"].state is VenueState.OPEN
        await rig.exchange.advance()
        assert (await rig.exchange.snapshot(["a-1"])).orders["a-1"].state is VenueState.CLOSED


async def test_the_paper_exchange_knows_its_ledger_and_public_data_and_nothing_else() -> None:
    async with open_rig() as rig:
        assert isinstance(rig.exchange, PaperExchangeWrapper)
        parts = {type(part) for part in vars(rig.exchange).values()}
    assert {part.__name__ for part in parts if part.__module__.startswith(("core.", "bot.", "tests.", "ccxt"))} == {
        "PaperLedger",
        "HandMarket",
        "SettableClock",
    }


@pytest.mark.parametrize("last", ["0.1610000", "0.1613457", "0.1617891"])
async def test_a_buy_of_the_whole_balance_leaves_no_debt(last: str) -> None:
    async with open_rig() as rig:
        rig.hand.price("DOGE/USD", last)
        reply = await rig.tell("buy 100% of my balance DOGE SL 1% TP 2%")
        assert reply.ok, reply.text
        assert rig.paper.books.balances["USD"] >= 0


@pytest.mark.parametrize("mode", [TargetMode.RESTING, TargetMode.EMULATED])
async def test_both_legs_of_a_bracket_hold_the_coins_once(mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=mode)) as rig:
        reply = await rig.tell("buy 0.04 ZEC SL 1% TP 2%")
        snapshot = await rig.exchange.snapshot([])
    assert reply.ok, reply.text
    assert len(snapshot.open_orders) == (2 if mode is TargetMode.RESTING else 1)
    assert snapshot.balances["ZEC"].held == snapshot.balances["ZEC"].total == D("0.04")


async def test_an_order_type_that_the_books_have_keeps_its_prices_on_the_way_in() -> None:
    async with open_rig() as rig:
        await rig.exchange.perform(Submit(intent("a-1", "0.04"), ZEC))
        stop = replace(
            intent("a-2", "0.04", Side.SELL), type=OrderType.STOP_LOSS, role=Role.STOP, trigger_price=D("506.88")
        )
        await rig.exchange.perform(Submit(stop, ZEC, group="zy00000001"))
        shown = (await rig.exchange.snapshot([])).orders["a-2"]
    assert (shown.type, shown.trigger_price, shown.limit_price) == (OrderType.STOP_LOSS, D("506.88"), None)
