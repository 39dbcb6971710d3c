"""LIVE on the stand-in: what is said while an answer is missing, a list lags, or nothing can be read."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain.brackets import BracketState
from core.domain.orders import OrderType
from tests.live_kit import LiveHouse, live_house
from tests.standins import kraken_faults as faults
from tests.standins.kraken import KrakenStandIn

D = Decimal


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveHouse]:
    async with (
        KrakenStandIn(balances={"USD": D(10000)}) as kraken,
        live_house(tmp_path, kraken, unprotected_limit_s="5") as house,
    ):
        kraken.account.limits = False
        yield house
        assert kraken.private.forbidden == []


async def _bought(live: LiveHouse) -> None:
    reply = await live.tell("buy 0.04 ZEC/USD market. SL 1%. TP 2%.")
    assert reply.ok, reply.text


def _stops(live: LiveHouse) -> list[tuple[Decimal | None, Decimal]]:
    return [(one.trigger_price, one.quantity) for one in live.resting() if one.type is OrderType.STOP_LOSS]


async def _until_closed(live: LiveHouse, ticks: int = 14) -> None:
    """Look again and again, a second of the wall's time apart, until the bracket is over."""
    for _ in range(ticks):
        await live.tick()
        if live.bracket().state is BracketState.CLOSED:
            return
        await asyncio.sleep(1)


@pytest.mark.parametrize("words", ["close ZEC", "flatten"])
async def test_a_sale_whose_answer_was_lost_is_told_as_sent_and_not_as_impossible(live: LiveHouse, words: str) -> None:
    await _bought(live)
    live.kraken.account.order_lag_s = 30
    live.kraken.fail(faults.DROP_AFTER, times=1, endpoint="AddOrder")
    reply = await live.tell(words)
    assert "Sent, but not answered yet: sell 0.04 ZEC/USD" in reply.text
    assert "UNKNOWN" in reply.text
    assert "could not be sold" not in reply.text
    assert not reply.ok


async def test_a_stop_that_the_venue_would_not_move_is_told_as_not_moved(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.fail(faults.error("EService:Unavailable"), endpoint="AmendOrder")
    reply = await live.tell("protect ZEC sl 2%")
    assert "NOT MOVED there yet" in reply.text
    assert "Last seen: stop 505.1 rests on 0.04 of 0.04" in reply.text
    assert not reply.ok


async def test_a_position_without_a_stop_is_not_told_as_moved(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.fail(faults.error("EOrder:Invalid price"), endpoint="AddOrder")
    [stop] = live.resting()
    live.kraken.account.by_hand_cancel(stop.venue_id)
    reply = await live.tell("protect ZEC sl 2%")
    assert "NOT MOVED there yet" in reply.text
    assert not reply.ok


async def test_open_shows_the_price_that_the_venue_has_taken_though_its_list_lags(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.account.amend_lag_s = 30
    reply = await live.tell("protect ZEC sl 2%")
    assert reply.ok
    [line] = [one for one in reply.text.splitlines() if one.startswith("• stop")]
    assert "sell 0.04 at 500 ·" in line
    assert "resting, changed just now" in line


async def test_flatten_says_verified_only_of_a_venue_that_it_could_read(live: LiveHouse) -> None:
    await _bought(live)
    live.kraken.fail(faults.HTML_502_BEFORE, endpoint="OpenOrders")
    reply = await live.tell("flatten")
    assert "NOT VERIFIED" in reply.text
    assert "Verified with the venue" not in reply.text
