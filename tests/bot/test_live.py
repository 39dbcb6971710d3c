"""LIVE as it is set: what is missing is told before anything is opened, and what is open there is never left alone."""

import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ccxt.async_support import Exchange as Client

from bot.live import (
    LiveSetupError,
    lacks,
    live_exchange,
    live_feed,
    remember_holds,
    require_care,
    require_keys,
    require_live,
)
from bot.run import START_WAIT_S, opened
from bot.settings import Settings, load_settings
from bot.wiring import WiringError, open_house
from core.domain.errors import Code
from core.domain.modes import Mode
from core.domain.orders import OrderState
from core.exchange.kraken_private import KrakenExchangeWrapper
from core.ledger.ledger import Ledger
from core.lifecycle.decide import Decision
from core.market.clocks import wall_clock
from core.trading.service import MODE_KEY
from storage.database import Database, open_database
from storage.migrate import migrate
from tests.core.ledger import samples
from tests.live_kit import LiveHouse, live_house, live_settings
from tests.rig import START, hand_market
from tests.standins import kraken_faults as faults
from tests.standins.kraken import SECRET, KrakenStandIn

KEYS = {"kraken_api_key": "key", "kraken_api_secret": SECRET}


@pytest.fixture(autouse=True)
def _closes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The client's quarter of a second of sleep after closing is for other servers than ours.
    monkeypatch.setattr(Client, "timeout_on_exit", 0)


def settings(tmp_path: Path, **given: Any) -> Settings:
    values = {"market": "kraken", "database_url": f"sqlite:///{tmp_path}/zyn.db"} | given
    return load_settings({}, tmp_path / "no.env", values)


def database(tmp_path: Path) -> Database:
    opened = open_database(f"sqlite:///{tmp_path}/zyn.db")
    migrate(opened, START)
    return opened


def with_open_trade(tmp_path: Path, *symbols: str) -> None:
    """A database in which LIVE trades are open."""
    opened = database(tmp_path)
    ledger = Ledger(opened, Mode.LIVE)
    for number, symbol in enumerate(symbols or ("ZEC/USD",), 1):
        before = samples.bracket(number, symbol, Mode.LIVE)
        after = replace(before, orders=(samples.order(before, 1, state=OrderState.OPEN),))
        ledger.save([Decision(before, after, (), (), ())])
    opened.close()


# -- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "set KRAKEN_API_KEY and KRAKEN_API_SECRET"),
        ({"kraken_api_key": "key"}, "set KRAKEN_API_KEY and KRAKEN_API_SECRET"),
        ({"kraken_api_secret": SECRET}, "set KRAKEN_API_KEY and KRAKEN_API_SECRET"),
        ({"kraken_api_key": "key", "kraken_api_secret": "no base64!"}, "no private key of Kraken's"),
        ({"kraken_api_key": "key", "kraken_api_secret": SECRET[:-3]}, "no private key of Kraken's"),
        ({"kraken_api_key": "key", "kraken_api_secret": "ключ"}, "no private key of Kraken's"),
        ({**KEYS, "market": "generated"}, "set MARKET=kraken"),
        (KEYS, ""),
    ],
)
def test_what_live_lacks_is_an_instruction_and_holds_no_secret(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    found = lacks(settings(tmp_path, **given))
    assert said in found
    assert bool(found) is bool(said)
    assert not any(value in found for name, value in given.items() if name != "market" and len(value) > 3)


def test_live_without_its_keys_is_refused_and_paper_needs_none(tmp_path: Path) -> None:
    with pytest.raises(LiveSetupError, match="MODE=LIVE, and without Kraken there is nothing to trade on"):
        require_keys(settings(tmp_path, mode="LIVE"))
    require_keys(settings(tmp_path, mode="PAPER"))
    require_keys(settings(tmp_path, mode="LIVE", **KEYS))


async def test_a_house_that_cannot_be_live_is_not_opened_and_leaves_no_database(tmp_path: Path) -> None:
    for given in ({}, {"kraken_api_key": "key"}, {"kraken_api_key": "key", "kraken_api_secret": "half a"}):
        with pytest.raises(WiringError, match="MODE=PAPER"):
            await open_house(settings(tmp_path, mode="LIVE", **given))
    assert not (tmp_path / "zyn.db").exists()


def test_the_wrapper_is_not_made_without_keys_and_asks_nobody_until_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(LiveSetupError, match="together"):
        live_exchange(settings(tmp_path, kraken_api_key="key"), hand_market(), wall_clock)
    made = live_exchange(settings(tmp_path, **KEYS), hand_market(), wall_clock)
    assert (made.mode, made.name) == (Mode.LIVE, "KrakenExchangeWrapper")
    assert made.wire._client is None
    assert SECRET not in repr(made.__dict__)


@pytest.mark.parametrize(("entry_stop", "attaches"), [("attached", True), ("after", False)])
def test_whether_an_entry_carries_its_stop_is_the_owners_choice(
    tmp_path: Path, entry_stop: str, *, attaches: bool
) -> None:
    made = live_exchange(settings(tmp_path, entry_stop=entry_stop, **KEYS), hand_market(), wall_clock)
    assert made.abilities.attaches_stops is attaches
    assert not made.abilities.links_legs


# -- what is open is not left alone ------------------------------------------------------------------------------


def test_open_live_trades_without_keys_stop_even_a_paper_start_and_are_named(tmp_path: Path) -> None:
    with_open_trade(tmp_path, "ZEC/USD", "ETH/USD", "ZEC/USD")
    opened = database(tmp_path)
    with pytest.raises(
        LiveSetupError, match=r"3 LIVE trades are open \(ETH/USD, ZEC/USD\), nobody would watch"
    ) as told:
        require_live(settings(tmp_path), opened, None)
    assert "set KRAKEN_API_KEY and KRAKEN_API_SECRET" in str(told.value)
    require_live(settings(tmp_path, **KEYS), opened, None)
    opened.close()


async def test_a_paper_start_beside_open_live_trades_without_keys_is_refused_by_the_house(tmp_path: Path) -> None:
    with_open_trade(tmp_path)
    with pytest.raises(WiringError, match="1 LIVE trades are open"):
        await open_house(settings(tmp_path, mode="PAPER"))


def test_a_stored_live_mode_without_keys_is_refused_and_a_stored_paper_mode_is_not(tmp_path: Path) -> None:
    opened = database(tmp_path)
    with pytest.raises(LiveSetupError, match="the stored mode is LIVE"):
        require_live(settings(tmp_path), opened, "LIVE")
    require_live(settings(tmp_path), opened, "PAPER")
    require_live(settings(tmp_path), opened, None)
    require_live(settings(tmp_path, **KEYS), opened, "LIVE")
    opened.close()


async def test_the_stored_mode_counts_even_where_the_settings_say_paper(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        house = await open_house(live_settings(tmp_path, kraken))
        house.store.put(MODE_KEY, "LIVE")
        await house.close()
    with pytest.raises(WiringError, match="the stored mode is LIVE"):
        await open_house(settings(tmp_path, mode="PAPER"))


def test_only_checking_while_live_trades_are_open_is_refused(tmp_path: Path) -> None:
    with_open_trade(tmp_path)
    opened = database(tmp_path)
    with pytest.raises(LiveSetupError, match="VALIDATE_ONLY=true while LIVE trades are open"):
        require_live(settings(tmp_path, validate_only=True, **KEYS), opened, "LIVE")
    opened.close()


async def test_open_trades_whose_key_is_no_good_any_more_end_the_start_with_the_reason(tmp_path: Path) -> None:
    with_open_trade(tmp_path)
    async with KrakenStandIn() as kraken:
        kraken.fail(faults.error("EAPI:Invalid key"), endpoint="GetApiKeyInfo")
        async with live_house(tmp_path, kraken) as live:
            assert live.desk.is_refused
            with pytest.raises(LiveSetupError, match=r"1 LIVE trades are open \(ZEC/USD\): .*EAPI:Invalid key"):
                require_care(live.desk)


async def test_a_bad_key_without_open_trades_only_leaves_the_desk_not_ready(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        kraken.account.permissions.append("withdraw-funds")
        async with live_house(tmp_path, kraken) as live:
            require_care(live.desk)
            reply = await live.tell("buy 1 ZEC sl 2% tp 3%")
            assert reply.code is Code.NOT_READY
            assert "may withdraw" in reply.text
            assert live.house.service.desk(Mode.PAPER).ready


async def test_a_start_with_a_wrong_clock_takes_no_entries_and_still_protects_what_is_open(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        kraken.account.limits = False
        kraken.account.trade("ZEC/USD", "500.00")
        async with live_house(tmp_path, kraken, entry_stop="after") as live:
            await live.tell("buy 1 ZEC sl 2% tp 3%")
            [stop] = live.resting()
        kraken.account.by_hand_cancel(stop.venue_id)
        kraken.market.now = lambda: wall_clock() + timedelta(seconds=45)
        async with live_house(tmp_path, kraken, entry_stop="after") as live:
            assert (await live.tell("buy 1 ZEC sl 2% tp 3%")).code in {Code.NOT_READY, Code.NOT_ACTIVE}
            for _ in range(3):
                await live.house.service.tick_or_recover(live.desk)
            assert len(live.resting()) == 1


async def test_at_a_start_that_takes_no_new_trades_the_owner_can_still_leave(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        kraken.account.limits = False
        kraken.account.trade("ZEC/USD", "500.00")
        async with live_house(tmp_path, kraken) as live:
            await live.tell("buy 1 ZEC sl 2% tp 3%")
        kraken.market.system_status = "limit_only"
        async with live_house(tmp_path, kraken) as live:
            refused = await live.tell("buy 1 ZEC sl 2% tp 3%")
            assert (refused.code, live.desk.ready) == (Code.NOT_READY, False)
            assert "begins no new trades yet: Kraken is in limit_only mode" in refused.text
            assert "Sold 1 of 1 ZEC" in (await live.tell("close ZEC")).text
            assert live.resting() == []


async def test_a_wrong_key_in_live_mode_is_told_with_what_to_do_and_not_asked_again_for_ten_minutes(
    tmp_path: Path,
) -> None:
    async with KrakenStandIn() as kraken:
        kraken.fail(faults.error("EAPI:Invalid key"))
        async with live_house(tmp_path, kraken) as live:
            assert "The LIVE desk is not ready and takes no orders" in live.alerts()
            assert "Copy KRAKEN_API_KEY and KRAKEN_API_SECRET again" in live.alerts()
            await live.house.service.tick_or_recover(live.desk)
            asked = len(kraken.private.requests)
            for _ in range(3):
                await live.house.service.tick_or_recover(live.desk)
            assert len(kraken.private.requests) == asked
            assert live.desk.recover_at is not None
            assert live.desk.recover_at - live.desk.clock() > timedelta(minutes=9)


async def test_open_trades_that_a_refused_key_cannot_look_after_are_told_as_unwatched(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        kraken.account.limits = False
        kraken.account.trade("ZEC/USD", "500.00")
        async with live_house(tmp_path, kraken) as live:
            await live.tell("buy 1 ZEC sl 2% tp 3%")
        kraken.fail(faults.HTML_502_BEFORE)
        async with live_house(tmp_path, kraken) as live:
            assert "takes no orders" in live.alerts()
            assert "NOBODY WATCHES" not in live.alerts()
            kraken.fail(faults.error("EAPI:Invalid key"))
            await live.house.service.tick_or_recover(live.desk)
            [told] = [line for line in live.alerts().splitlines() if "NOBODY WATCHES OVER ZEC/USD" in line]
            assert "Copy KRAKEN_API_KEY" in told
            assert "keeps to what is open" not in told
            assert ".." not in told


async def test_a_coin_that_is_listed_no_more_does_not_keep_the_others_from_being_left(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        kraken.account.limits = False
        for symbol, price in (("ZEC/USD", "500.00"), ("ETH/USD", "3000.00")):
            kraken.account.trade(symbol, price)
        async with live_house(tmp_path, kraken) as live:
            await live.tell("buy 1 ZEC sl 2% tp 3%")
            await live.tell("buy 0.1 ETH sl 2% tp 3%")
        del kraken.market.pairs[kraken.account.pair("ZEC/USD").key]
        async with live_house(tmp_path, kraken) as live:
            assert (live.desk.has_compared, live.desk.ready) == (True, False)
            assert "Sold 0.1 of 0.1 ETH" in (await live.tell("close ETH")).text


async def test_a_kraken_that_hangs_at_the_start_does_not_keep_paper_from_answering(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        kraken.fail(faults.slow(60))
        began = time.monotonic()
        async with opened(live_settings(tmp_path, kraken)) as one:
            waited_s = time.monotonic() - began
            reply = await one.ask("paper status")
            assert reply["ok"]
            assert "LIVE desk" in reply["text"]
        assert waited_s < START_WAIT_S + 5


# -- only checked ------------------------------------------------------------------------------------------------


@pytest.fixture
async def checking(tmp_path: Path) -> AsyncIterator[LiveHouse]:
    async with KrakenStandIn() as kraken:
        kraken.account.limits = False
        kraken.account.trade("ZEC/USD", "500.00")
        async with live_house(tmp_path, kraken, validate_only=True) as live:
            yield live


async def test_an_entry_that_is_only_checked_is_told_so_and_is_nowhere(checking: LiveHouse) -> None:
    reply = await checking.tell("buy 0.5 ZEC sl 2% tp 3%")
    assert "Validated, not executed (VALIDATE_ONLY): KrakenExchangeWrapper would take buy 0.5 ZEC/USD" in reply.text
    assert reply.code is Code.VALIDATED
    assert reply.receipts == ()
    [form] = checking.kraken.private.asked("AddOrder")
    assert form["validate"] == "true"
    assert (form["volume"], form["close[ordertype]"]) == ("0.5", "stop-loss")
    assert checking.kraken.account.records == {}
    assert checking.desk.ledger.unfinished() == ()
    assert checking.desk.ledger.newest() is None


async def test_what_kraken_would_refuse_is_told_in_its_words(checking: LiveHouse) -> None:
    checking.kraken.fail(faults.error("EOrder:Insufficient funds"), endpoint="AddOrder")
    reply = await checking.tell("buy 0.5 ZEC sl 2% tp 3%")
    assert reply.code is Code.REJECTED
    assert "validated, not executed: KrakenExchangeWrapper refuses: EOrder:Insufficient funds" in reply.text
    checking.kraken.fail(faults.UNAVAILABLE_AFTER, endpoint="AddOrder")
    unknown = await checking.tell("buy 0.5 ZEC sl 2% tp 3%")
    assert unknown.code is Code.VENUE_UNREADABLE
    assert "not validated, not executed" in unknown.text
    assert checking.desk.ledger.newest() is None


async def test_paper_trades_as_ever_while_live_only_checks(checking: LiveHouse) -> None:
    assert (await checking.tell("paper buy 0.5 ZEC sl 2% tp 3%")).ok
    paper = checking.house.service.desk(Mode.PAPER)
    assert len(paper.ledger.unfinished()) == 1
    assert "VALIDATE_ONLY: entries are checked and never placed." in (await checking.tell("status")).text
    assert checking.kraken.private.asked("AddOrder") == []


# -- what listens ------------------------------------------------------------------------------------------------


async def test_live_listens_to_kraken_and_paper_does_not(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken, live_house(tmp_path, kraken) as live:
        feed = live_feed(live.desk)
        assert feed is not None
        assert live_feed(live.house.service.desk(Mode.PAPER)) is None
        exchange = live.desk.exchange
        assert isinstance(exchange, KrakenExchangeWrapper)
        assert exchange.stream_is_alive == feed.streams.is_alive
        remember_holds(live.desk, exchange, live.house.store)
        assert live.desk.learned is None


def test_a_secret_is_what_base64_reads_and_nothing_else(tmp_path: Path) -> None:
    good = base64.b64encode(bytes(range(64))).decode()
    assert lacks(settings(tmp_path, kraken_api_key="k", kraken_api_secret=good)) == ""
    assert lacks(settings(tmp_path, kraken_api_key="k", kraken_api_secret=f"  {good}\n".strip())) == ""
    assert lacks(settings(tmp_path, kraken_api_key="k", kraken_api_secret=good.replace("/", "_") + "_"))
