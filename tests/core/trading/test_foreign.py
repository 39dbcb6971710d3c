"""What is on the account and not ours: shown by name, never touched, never sold."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from ccxt.async_support import Exchange as Client

from core.domain.errors import Code
from core.domain.modes import Mode, TargetMode
from core.domain.orders import OrderType, Role, Side
from core.domain.venue import Balance, Snapshot, VenueOrder, VenueState
from core.trading.foreign import foreign_coins, foreign_orders, untouched_lines, where
from tests.core.trading.faults import FaultyExchange
from tests.core.trading.live import AsLive
from tests.live_kit import LiveHouse, live_house
from tests.rig import START, Rig, Wiring, open_rig
from tests.standins.kraken import KrakenStandIn

D = Decimal
BALANCES = {"USD": D(10_000), "ETH": D("1.5"), "ZEC": D(2), "USDT": D(50)}


@pytest.fixture(autouse=True)
def _closes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The client's quarter of a second of sleep after closing is for other servers than ours.
    monkeypatch.setattr(Client, "timeout_on_exit", 0)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveHouse]:
    """A LIVE house on an account with coins and orders of its owner."""
    async with KrakenStandIn(balances=BALANCES) as kraken:
        kraken.account.limits = False
        kraken.account.trade("ZEC/USD", "500.00")
        kraken.account.by_hand_place("ETH/USD", "sell", "limit", "0.5", "4000.00")
        async with live_house(tmp_path, kraken) as house:
            yield house


def by_hand(live: LiveHouse) -> VenueOrder:
    """The owner's order as Kraken has it now."""
    record = next(record for record in live.kraken.account.records.values() if record.order.shown.symbol == "ETH/USD")
    return record.order.shown


async def test_balance_says_of_each_coin_how_much_is_zyns(live: LiveHouse) -> None:
    await live.tell("buy 1 ZEC sl 2% tp 3%")
    text = (await live.tell("balance")).text
    assert "• ETH 1.5, 0.5 in open orders, not Zyn's" in text
    assert "1 in Zyn's positions" in text
    assert "USDT 50, not" not in text


async def test_open_shows_a_strangers_order_as_not_ours(live: LiveHouse) -> None:
    text = (await live.tell("open")).text
    line = next(line for line in text.splitlines() if by_hand(live).venue_id in line)
    assert "not ours" in line
    assert "sell 0.5" in line


async def test_flatten_sells_what_is_zyns_names_the_rest_and_touches_none_of_it(live: LiveHouse) -> None:
    await live.tell("buy 1 ZEC sl 2% tp 3%")
    reply = await live.tell("flatten")
    assert "Not Zyn's and not touched: 1.5 ETH, 2 ZEC." in reply.text
    assert f"Orders that are not Zyn's and were not touched: sell 0.5 ETH/USD {by_hand(live).venue_id}." in reply.text
    assert by_hand(live).state is VenueState.OPEN
    assert live.kraken.account.balances["ZEC"] == D(2)
    assert live.kraken.account.balances["ETH"] == D("1.5")
    again = await live.tell("flatten")
    assert "Already flat" in again.text
    assert "Not Zyn's and not touched: 1.5 ETH, 2 ZEC." in again.text


async def test_closing_one_coin_names_what_is_left_of_that_coin_alone(live: LiveHouse) -> None:
    await live.tell("buy 1 ZEC sl 2% tp 3%")
    text = (await live.tell("close ZEC")).text
    assert "Not Zyn's and not touched: 2 ZEC." in text
    assert "ETH" not in text


async def test_selling_more_than_ours_is_denied_with_both_numbers(live: LiveHouse) -> None:
    await live.tell("buy 1 ZEC sl 2% tp 3%")
    reply = await live.tell("sell 1.5 ZEC")
    assert reply.code is Code.NOT_OURS
    assert "asked to sell 1.5 ZEC, our brackets hold 1; nothing else is touched" in reply.text
    assert live.kraken.account.balances["ZEC"] == D(3)


async def test_selling_a_coin_of_which_nothing_is_ours_is_denied_with_what_there_is(live: LiveHouse) -> None:
    reply = await live.tell("sell 1 ETH")
    assert reply.code is Code.NO_POSITION
    assert "the account has 1.5 ETH that belong to none of them" in reply.text
    assert by_hand(live).state is VenueState.OPEN


async def test_a_strangers_order_cannot_be_canceled_through_zyn(live: LiveHouse) -> None:
    assert not (await live.tell("cancel ETH")).ok
    assert by_hand(live).state is VenueState.OPEN
    assert live.kraken.private.asked("CancelOrder") == []


# -- without a venue ---------------------------------------------------------------------------------------------


def _order(
    name: str | None, venue_id: str, parent: str | None = None, state: VenueState = VenueState.OPEN
) -> VenueOrder:
    return VenueOrder(venue_id, name, "ZEC/USD", Side.SELL, OrderType.STOP_LOSS, D(1), state, START, parent_id=parent)


def _books(rig: Rig) -> Snapshot:
    """Our stop by name and by id, a child of our entry, two strangers, and one of them that is over."""
    ours = {order.role: order for bracket in rig.desk.ledger.unfinished() for order in bracket.orders}
    entry, stop = ours[Role.ENTRY], ours[Role.STOP]
    named = {"zy9-1": _order("zy9-1", "O1"), stop.client_id: _order(stop.client_id, "O2")}
    nameless = {
        "O3": _order(None, "O3"),
        "O4": _order(None, "O4", parent=entry.venue_id),
        "O5": _order(None, "O5", state=VenueState.CANCELED),
        str(stop.venue_id): _order(None, str(stop.venue_id)),
    }
    return Snapshot(START, START, complete=True, orders=named, nameless=nameless)


async def test_ours_are_those_of_our_brackets_by_name_by_id_and_by_parent() -> None:
    async with open_rig(Wiring(target_mode=TargetMode.RESTING)) as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        assert [one.venue_id for one in foreign_orders(rig.desk, _books(rig))] == ["O1", "O3"]


async def test_strangers_are_strangers_while_zyn_holds_a_target_itself_too() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        assert [one.venue_id for one in foreign_orders(rig.desk, _books(rig))] == ["O1", "O3"]


async def test_an_order_that_this_installation_sent_and_its_ledger_lacks_is_told_apart() -> None:
    async with open_rig() as rig:
        rig.desk.prefix = "zyab1z"
        assert (
            where(rig.desk, _order("zyab1z000001-2", "O1"))
            == "sent by this Zyn, but not in its ledger: a restored copy?"
        )
        assert where(rig.desk, _order("zyother00001-2", "O1")) == "not ours"
        assert where(rig.desk, _order(None, "O1")) == "not ours"


async def test_foreign_coins_are_what_is_beyond_our_positions_and_money_is_no_coin() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        balances = {name: Balance(name, D(total)) for name, total in {"ZEC": 3, "ETH": 1, "USD": 5, "USDC": 7}.items()}
        shown = Snapshot(START, START, complete=True, balances=balances)
        assert foreign_coins(rig.desk, shown) == {"ETH": D(1), "ZEC": D(2)}
        short = Snapshot(START, START, complete=True, balances={"ZEC": Balance("ZEC", D("0.4"))})
        assert foreign_coins(rig.desk, short) == {}


async def test_paper_has_nothing_that_is_not_its_own() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC sl 2% tp 3%")
        assert list(await untouched_lines(rig.desk)) == []


async def test_where_the_account_cannot_be_read_that_is_said() -> None:
    async with open_rig() as other:
        faulty = FaultyExchange(AsLive(other.exchange))
        async with open_rig(Wiring(live=faulty, market=other.market, clock=other.clock)) as rig:
            faulty.unreadable = True
            [line] = await untouched_lines(rig.service.desk(Mode.LIVE))
            assert line.startswith("What else is on the account cannot be read just now: ")
