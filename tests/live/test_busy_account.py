"""An account that does much beside Zyn, a market without prices, a stop that hangs: nothing hides, nothing is stuck."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain.brackets import BracketState, ExitReason
from core.domain.errors import Code
from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.domain.venue import Accepted, Submit
from core.exchange import kraken_books
from core.exchange.errors import MarketDownError
from tests.live_kit import LiveHouse, live_house
from tests.standins import kraken_faults as faults
from tests.standins.kraken import KrakenStandIn

D = Decimal


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveHouse]:
    async with (
        KrakenStandIn(balances={"USD": D(100_000), "ETH": D(10)}) as kraken,
        live_house(tmp_path, kraken, unprotected_limit_s="5", entry_stop="after") as house,
    ):
        kraken.account.limits = False
        yield house
        assert kraken.private.forbidden == []


def _is_resting(live: LiveHouse, kind: OrderType, side: Side = Side.SELL) -> bool:
    return any(one.type is kind and one.side is side for one in live.resting())


def _drop_stops(live: LiveHouse) -> None:
    """Requests that would place a stop never arrive."""

    def fault(endpoint: str, params: dict[str, str]) -> faults.PrivateFault | None:
        is_stop = endpoint == "AddOrder" and params.get("ordertype") == "stop-loss"
        return faults.DROP_BEFORE if is_stop else None

    live.kraken.private.fault = fault


async def test_a_lost_stop_is_noticed_beside_an_old_position_and_more_closed_orders_than_are_read(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_books, "PAGES_MAX", 1)
    await live.tell("buy 0.1 ETH/USD market. SL 50%. TP 50%.")
    for _ in range(60):
        live.kraken.account.by_hand_place("SOL/USD", "buy", "market", "0.1")
    _drop_stops(live)
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    ours = live.bracket()
    for _ in range(20):
        await live.tick()
        ours = live.desk.ledger.bracket(ours.id) or ours
        if ours.state is BracketState.CLOSED:
            break
        await asyncio.sleep(1)
    assert ours.close_reason is ExitReason.UNPROTECTED, "a stop that nobody can find is no stop"
    assert live.kraken.account.balances["ZEC"] == 0


async def _without_prices(live: LiveHouse, monkeypatch: pytest.MonkeyPatch, *symbols: str) -> None:
    fresh = live.desk.fresh_quote

    async def quote(symbol: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - the desk's own
        if symbol in symbols:
            raise MarketDownError(f"there is no price of {symbol}")
        return await fresh(symbol)

    monkeypatch.setattr(live.desk, "fresh_quote", quote)


async def test_flatten_cancels_what_waits_to_be_bought_though_nothing_has_a_price(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    await live.tell("buy 0.5 ETH/USD limit 3000. SL 5%. TP 8%.")
    assert _is_resting(live, OrderType.LIMIT, Side.BUY)
    await _without_prices(live, monkeypatch, "ZEC/USD", "ETH/USD")
    reply = await live.tell("flatten")
    assert (reply.ok, reply.code) == (False, Code.NO_PRICES)
    assert "NOT SOLD, for want of a fresh price: 0.04 ZEC/USD. It stays; stop 505.1 rests on 0.04" in reply.text
    assert not _is_resting(live, OrderType.LIMIT, Side.BUY)
    assert _is_resting(live, OrderType.STOP_LOSS), "the stop is better than nothing"


async def test_flatten_sells_what_has_a_price_and_is_no_success_while_something_stays(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    await live.tell("buy 0.1 ETH/USD market. SL 50%. TP 50%.")
    await _without_prices(live, monkeypatch, "ETH/USD")
    reply = await live.tell("flatten")
    assert (reply.ok, reply.code) == (False, Code.NO_PRICES)
    assert "Sold 0.04 of 0.04 ZEC" in reply.text
    assert "NOT SOLD, for want of a fresh price: 0.1 ETH/USD" in reply.text


async def test_all_wishes_of_a_flatten_are_saved_before_the_first_coin_is_sold(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.tell("buy 0.1 ETH/USD market. SL 50%. TP 50%.")
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")

    async def dies(_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(live.desk, "settle", dies)
        with pytest.raises(KeyboardInterrupt):
            await live.tell("flatten")
    assert all(one.leave is not None for one in live.desk.ledger.unfinished())
    await live.tick(3)
    assert live.desk.ledger.unfinished() == (), "the ordinary tick finishes what was wished"


async def test_a_buy_that_was_being_approved_while_the_owner_flattened_is_not_made(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    fees, waits = live.desk.exchange.fees, asyncio.Event()

    async def slow(symbol: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - the exchange's own
        await waits.wait()
        return await fees(symbol)

    monkeypatch.setattr(live.desk.exchange, "fees", slow)
    buying = asyncio.create_task(live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%."))
    await asyncio.sleep(0.1)
    assert "Already flat" in (await live.tell("flatten")).text
    waits.set()
    reply = await buying
    assert "was flattened meanwhile; nothing was bought" in reply.text
    assert live.desk.ledger.newest() is None


@pytest.mark.parametrize("what", ["flattened", "halted"])
async def test_a_buy_that_waits_for_its_turn_while_the_desk_is_flattened_or_halted_is_not_made(
    live: LiveHouse, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live.desk.lock("ZEC"):
        buying = asyncio.create_task(live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%."))
        await asyncio.sleep(0.3)
        assert not buying.done()
        if what == "flattened":
            assert "Already flat" in (await live.tell("flatten")).text
        else:
            monkeypatch.setattr(live.desk, "killed", lambda: "the day's loss limit is reached")
    reply = await buying
    assert (reply.ok, reply.code) == (False, Code.NOT_ACTIVE), reply.text
    assert live.desk.ledger.newest() is None
    assert live.kraken.private.asked("AddOrder") == []


async def _stop_hangs(live: LiveHouse) -> None:
    """A position whose stop was reached and has sold a quarter of it."""
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    live.kraken.account.trade("ZEC/USD", "500.00", volume="0.01")
    await live.tick(2)


async def test_a_stop_that_hangs_is_left_at_the_venue_while_the_pair_takes_no_sale(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _stop_hangs(live)

    async def closed(_symbol: str) -> str:
        return "cancel_only"

    monkeypatch.setattr(live.desk.market, "status", closed)
    now = live.desk.clock
    monkeypatch.setattr(live.desk, "clock", lambda: now() + timedelta(seconds=25))
    await live.prices_pass()
    await live.tick(3)
    assert live.kraken.private.asked("CancelOrder") == []
    assert [one.quantity - one.filled for one in live.resting() if one.type is OrderType.STOP_LOSS] == [D("0.03")]


async def test_a_list_of_trades_sends_nothing_at_a_desk_whose_books_were_not_compared(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    monkeypatch.setattr(type(live.desk), "has_compared", property(lambda _: False))
    before = len(live.kraken.requests)
    assert "were not compared with Zyn's yet" in (await live.tell("trades")).text
    assert len(live.kraken.requests) == before


async def test_a_refusal_that_passes_does_not_end_a_flatten(live: LiveHouse) -> None:
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    live.kraken.fail(faults.error("EOrder:Rate limit exceeded"), times=1, endpoint="AddOrder")
    await live.tell("flatten")
    assert live.bracket().leave is not None, "the wish stays"
    for _ in range(6):
        await asyncio.sleep(1)
        await live.tick()
        if live.bracket().state is BracketState.CLOSED:
            break
    assert live.bracket().close_reason is ExitReason.FLATTEN
    assert live.kraken.account.balances["ZEC"] == 0


async def test_a_stop_that_was_reached_and_hangs_is_taken_back_and_sold_at_market_and_told(
    live: LiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _stop_hangs(live)
    assert "reached, selling" in (await live.tell("open")).text
    stop = next(one for one in live.bracket().orders if one.state is OrderState.OPEN)
    assert stop.triggered_at is not None
    now = live.desk.clock
    monkeypatch.setattr(live.desk, "clock", lambda: now() + timedelta(seconds=25))
    live.kraken.account.trade("ZEC/USD", "500.00", volume="5")
    await live.prices_pass()
    await live.tick(3)
    monkeypatch.setattr(live.desk, "clock", now)
    await live.tick(3)
    assert live.kraken.account.balances["ZEC"] == 0
    assert live.bracket().state is BracketState.CLOSED


async def test_an_answer_of_krakens_that_proves_nothing_is_shown_with_its_words(live: LiveHouse) -> None:
    live.kraken.fail(faults.error("EService:Something new"), times=1, endpoint="AddOrder")
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert "the answer proves nothing (EService:Something new" in reply.text
    assert "UNKNOWN" in reply.text


async def test_a_refusal_is_told_in_krakens_words_and_in_ours(live: LiveHouse) -> None:
    live.kraken.fail(
        faults.error("EAccount:Invalid permissions:ZEC trading restricted for US:NY."), times=1, endpoint="AddOrder"
    )
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert "Not bought" in reply.text
    assert "restricted" in reply.text
    assert "this account may not trade that" in reply.text


async def test_trades_say_of_when_krakens_word_is_and_that_it_is_memory_where_kraken_is_silent(live: LiveHouse) -> None:
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    for words in ("trades", "executed_orders"):
        assert "As Kraken's own books show it" in (await live.tell(words)).text
    live.kraken.fail(faults.HTML_502_BEFORE, times=50, endpoint="OpenOrders")
    for words in ("trades", "executed_orders"):
        said = (await live.tell(words)).text
        assert "Kraken could not be read" in said
        assert "more may have traded since" in said


async def test_the_time_without_a_stop_is_told_while_it_runs(live: LiveHouse) -> None:
    _drop_stops(live)
    await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    await asyncio.sleep(1.2)
    said = (await live.tell("status")).text
    seconds = float(said.split("all in all: ")[1].split(" s")[0])
    assert seconds > 1


async def test_an_order_under_our_own_name_that_the_ledger_lacks_is_told_once_and_not_touched(live: LiveHouse) -> None:
    now = live.desk.clock()
    stranger = Order(
        client_id=f"{live.desk.prefix}0000ffff-1", bracket_id=f"{live.desk.prefix}0000ffff", role=Role.ENTRY,
        side=Side.BUY, type=OrderType.LIMIT, quantity=D("0.5"), state=OrderState.SUBMITTING, created_at=now,
        deadline=now + timedelta(seconds=10), limit_price=D(2000),
    )  # fmt: skip
    assert isinstance(await live.desk.exchange.perform(Submit(stranger, "ETH/USD")), Accepted)
    await live.tick(3)
    assert live.alerts().count("buy 0.5 ETH/USD, under this Zyn's own name, and its ledger does not have it") == 1
    assert len(live.resting()) == 1
