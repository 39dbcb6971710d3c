"""`debug_trade`: our book and the venue's side by side, and every difference marked."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from ccxt.async_support import Exchange as Client

from core.domain.errors import Code
from core.domain.money import ZERO
from core.domain.venue import VenueFill
from core.exchange.errors import VenueUnreadableError
from core.exchange.port import Exchange
from tests.core.trading.faults import FaultyExchange
from tests.live_kit import LiveHouse, live_house
from tests.rig import Rig, Wiring, open_rig
from tests.standins import kraken_faults as faults
from tests.standins.kraken import KrakenStandIn

D = Decimal


@dataclass
class Telling(FaultyExchange):
    """Tells of its executions what a test wants."""

    extra_fee: Decimal = ZERO
    forgets: int = 0
    asked: int = 0

    async def fetch_fills(self, since: datetime, until: datetime | None = None) -> Sequence[VenueFill]:
        self.asked += 1
        if self.unreadable:
            raise VenueUnreadableError("the venue of this test does not answer")
        found = [replace(one, fee=one.fee + self.extra_fee) for one in await self.inner.fetch_fills(since, until)]
        return found[self.forgets :]


def _venue(rig: Rig) -> Telling:
    assert isinstance(rig.exchange, Telling)
    return rig.exchange


def telling(exchange: Exchange) -> Telling:
    return Telling(exchange)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with open_rig(Wiring(wrap=telling)) as made:
        await made.tell("buy 1 ZEC sl 2% tp 3%")
        yield made


def _books(text: str) -> list[str]:
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if "books of" in line)
    return lines[start:]


async def test_both_books_of_a_trade_are_shown_side_by_side(rig: Rig) -> None:
    rig.hand.trade("ZEC/USD", "500.00")
    await rig.tick()
    reply = await rig.tell("debug ZEC")
    assert reply.ok
    title, entry, stop = _books(reply.text)[:3]
    assert title == "Fills in our ledger and in the books of PaperExchangeWrapper:"
    assert entry.startswith("• entry PX-000001: quantity 1, cost 512, fee ")
    assert stop.startswith("• stop PX-000002: quantity 1, cost ")
    assert "≠" not in reply.text
    assert entry.endswith("(1 here, 1 there)")
    assert "Ended: " in reply.text
    assert len(reply.data["venue_fills"]) == 2


async def test_a_difference_is_marked_with_both_numbers(rig: Rig) -> None:
    _venue(rig).extra_fee = D("0.5")
    [line] = [line for line in _books((await rig.tell("debug ZEC")).text) if line.startswith("• entry")]
    assert "fee 2.048 ≠ 2.548 there" in line
    assert "quantity 1, cost 512" in line


async def test_rounding_of_the_venue_is_no_difference(rig: Rig) -> None:
    _venue(rig).extra_fee = D("0.000009")
    assert "≠" not in (await rig.tell("debug ZEC")).text


async def test_an_execution_that_the_venue_does_not_have_is_marked(rig: Rig) -> None:
    _venue(rig).forgets = 1
    [line] = [line for line in _books((await rig.tell("debug ZEC")).text) if line.startswith("• entry")]
    assert "quantity 1 ≠ 0 there" in line
    assert line.endswith("(1 here, 0 there)")


async def test_a_venue_that_cannot_be_read_leaves_what_was_kept_and_says_so(rig: Rig) -> None:
    whole = _books((await rig.tell("debug ZEC")).text)
    _venue(rig).unreadable = True
    reply = await rig.tell("debug ZEC")
    assert reply.ok
    title, *lines = _books(reply.text)
    assert "cannot be read just now (the venue of this test does not answer); what was kept of them:" in title
    assert lines == whole[1:]


async def test_without_anything_kept_the_missing_side_is_shown_as_missing(rig: Rig) -> None:
    _venue(rig).unreadable = True
    text = (await rig.tell("debug ZEC")).text
    assert "cannot be read just now" in text
    assert "(1 here, 0 there)" in text


async def test_the_newest_trade_is_meant_and_one_that_never_filled_has_no_fills(rig: Rig) -> None:
    rig.time.pass_s(1)
    await rig.tell("buy 1 ZEC limit 400 sl 2% tp 3%")
    reply = await rig.tell("debug ZEC")
    assert "buy 1 limit" in reply.text
    assert _books(reply.text)[1] == "• none"
    reply = await rig.tell("debug")
    assert "buy 1 limit" in reply.text


async def test_a_symbol_that_was_never_traded_is_not_found(rig: Rig) -> None:
    asked = _venue(rig).asked
    reply = await rig.tell("debug ETH")
    assert reply.code is Code.NOT_FOUND
    assert "ETH/USD" in reply.text
    assert _venue(rig).asked == asked


# -- with Kraken's books -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _closes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The client's quarter of a second of sleep after closing is for other servers than ours.
    monkeypatch.setattr(Client, "timeout_on_exit", 0)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveHouse]:
    async with KrakenStandIn() as kraken:
        kraken.account.limits = False
        kraken.account.trade("ZEC/USD", "500.00")
        async with live_house(tmp_path, kraken) as house:
            yield house


async def test_krakens_own_executions_agree_with_ours_and_outlive_an_outage(live: LiveHouse) -> None:
    live.kraken.account.pair("ZEC/USD").asks = [("500.00", "0.4"), ("500.50", "5")]
    assert (await live.tell("buy 1 ZEC sl 2% tp 3%")).ok
    await live.tick(2)
    await live.trade("489.00")
    reply = await live.tell("debug ZEC")
    assert "≠" not in reply.text
    entry = next(line for line in _books(reply.text) if line.startswith("• entry"))
    assert entry.endswith(", 2 there)")
    live.kraken.fail(faults.error("EService:Unavailable"), endpoint="TradesHistory")
    again = await live.tell("debug ZEC")
    assert "cannot be read just now" in again.text
    assert _books(again.text)[1:] == _books(reply.text)[1:]
    live.kraken.recover()
    assert "cannot be read" not in (await live.tell("debug ZEC")).text


async def test_a_fee_in_coins_is_no_difference_between_the_books(live: LiveHouse) -> None:
    live.kraken.account.fees_in_base = True
    assert (await live.tell("buy 1 ZEC sl 2% tp 3%")).ok
    await live.tick(2)
    assert "≠" not in (await live.tell("debug ZEC")).text
