"""What a resting stop does with its coins: learned from what the books show, and what a desk makes of it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ccxt.async_support import Exchange as Client

from bot.live import HOLDS_KEY, remember_holds
from bot.wiring import open_house
from core.domain.modes import Mode, TargetMode
from core.domain.orders import OrderType, Side
from core.domain.venue import Accepted, Balance, Snapshot, VenueOrder, VenueState
from core.exchange.holds import Evidence, evidence_of
from core.exchange.kraken_private import KrakenExchangeWrapper
from core.trading.desk import Desk
from core.trading.execute import execute_trading_command
from tests.core.exchange.account_rig import ZEC, bench
from tests.live_kit import live_settings
from tests.standins.kraken import KrakenStandIn

D = Decimal
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _closes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The client's quarter of a second of sleep after closing is for other servers than ours.
    monkeypatch.setattr(Client, "timeout_on_exit", 0)


def resting(name: str = "S1", kind: str = "stop-loss", side: str = "sell", **given: Any) -> VenueOrder:
    values: dict[str, Any] = {"quantity": D(1), "symbol": ZEC, "state": VenueState.OPEN} | given
    order = VenueOrder(name, None, ZEC, Side(side), OrderType(kind), D(1), VenueState.OPEN, AT)
    return replace(order, **values)


def snapshot(*orders: VenueOrder, total: str = "1", held: str = "1", complete: bool = True) -> Snapshot:
    balances = {"ZEC": Balance("ZEC", D(total), D(held)), "USD": Balance("USD", D(100))}
    return Snapshot(AT, AT, complete, {}, {order.venue_id: order for order in orders}, balances)


def _holds(shown: Snapshot) -> bool | None:
    evidence = evidence_of(shown)
    return None if evidence is None else evidence.holds


@pytest.mark.parametrize(
    ("held", "holds"), [("1", True), ("1.5", True), ("0", False), ("0.5", None), ("0.99999999", None)]
)
def test_only_all_or_nothing_says_something(held: str, holds: bool | None) -> None:  # noqa: FBT001 - a row's answer
    assert _holds(snapshot(resting(), held=held, total="2")) is holds


def test_the_rest_of_several_stops_is_added_up() -> None:
    both = (resting("S1"), resting("S2", quantity=D(3), filled=D(1)))
    assert _holds(snapshot(*both, total="4", held="3")) is True
    assert _holds(snapshot(*both, total="4", held="2")) is None


@pytest.mark.parametrize(
    "other",
    [
        resting("O", "limit"), resting("O", "market"), resting("O", triggered=True),
        resting("O", "limit", "buy", symbol="ETH/ZEC"),
    ],
)  # fmt: skip
def test_another_sale_of_the_coin_beside_the_stop_makes_it_unclear(other: VenueOrder) -> None:
    assert evidence_of(snapshot(resting(), other)) is None


def test_a_purchase_of_the_same_coin_says_nothing_of_its_coins() -> None:
    assert _holds(snapshot(resting(), resting("B", "limit", "buy"))) is True


def test_lists_in_part_or_without_balances_or_with_fewer_coins_than_the_stop_say_nothing() -> None:
    assert evidence_of(snapshot(resting(), complete=False)) is None
    assert evidence_of(replace(snapshot(resting()), balances={})) is None
    assert evidence_of(replace(snapshot(resting()), balances={"USD": Balance("USD", D(1))})) is None
    assert evidence_of(snapshot(resting(), total="0.5", held="0.5")) is None
    assert evidence_of(snapshot()) is None
    assert evidence_of(snapshot(resting(state=VenueState.CANCELED))) is None
    assert evidence_of(snapshot(resting(filled=D(1)))) is None


def test_the_evidence_says_what_was_seen_and_when() -> None:
    found = evidence_of(snapshot(resting()))
    assert found is not None
    assert found.text == "a resting stop holds its coins (seen 2026-11-20 12:00 UTC: 1 ZEC held for stops of 1)"
    free = evidence_of(snapshot(resting(), held="0"))
    assert free is not None
    assert "leaves its coins free" in free.text


@pytest.mark.parametrize("holds", [True, False])
async def test_the_books_of_an_account_teach_in_which_of_the_two_worlds_it_is(*, holds: bool) -> None:
    async with bench() as on:
        on.kraken.account.stop_holds = holds
        await on.buy()
        outcome = await on.exchange.perform(on.submit("zyabcd123456-2", "stop-loss", price="490", side="sell"))
        assert isinstance(outcome, Accepted)
        await on.exchange.snapshot(())
    assert [one.holds for one in on.learned] == [holds]


# -- what a desk makes of it -------------------------------------------------------------------------------------

HOLDS = Evidence(True, AT, "1 ZEC held for stops of 1")
FREE = Evidence(False, AT, "nothing held for stops of 1 ZEC")


def _wrapper(desk: Desk) -> KrakenExchangeWrapper:
    assert isinstance(desk.exchange, KrakenExchangeWrapper)
    return desk.exchange


@pytest.mark.parametrize(
    ("known", "mode", "said"),
    [
        (None, TargetMode.EMULATED, "Targets: auto, held by Zyn: nothing learned of the account yet."),
        (HOLDS, TargetMode.EMULATED, f"Targets: auto, held by Zyn: {HOLDS.text}."),
        (FREE, TargetMode.EMULATED, f"Targets: auto, held by Zyn: {FREE.text}."),
    ],
)
async def test_auto_leaves_targets_with_zyn_whatever_balances_look_like_and_status_says_what_was_learned(
    tmp_path: Path, known: Evidence | None, mode: TargetMode, said: str
) -> None:
    async with KrakenStandIn() as kraken:
        house = await open_house(live_settings(tmp_path, kraken, target_mode="auto"))
        try:
            desk = house.service.desk(Mode.LIVE)
            if known is not None:
                _wrapper(desk).learn(known)
            assert desk.target_mode is mode
            status = house.grammar.parse("status")
            reply = await execute_trading_command(house.service, status.command)  # type: ignore[union-attr]
            assert said in reply.text
        finally:
            await house.close()


@pytest.mark.parametrize("mode", [TargetMode.EMULATED, TargetMode.RESTING])
async def test_what_the_owner_has_set_is_not_overruled_by_what_is_learned(tmp_path: Path, mode: TargetMode) -> None:
    async with KrakenStandIn() as kraken:
        house = await open_house(live_settings(tmp_path, kraken, target_mode=mode.value))
        try:
            desk = house.service.desk(Mode.LIVE)
            for one in (HOLDS, FREE):
                _wrapper(desk).learn(one)
                assert desk.target_mode is mode
        finally:
            await house.close()


async def test_what_was_learned_outlives_the_process(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        settings = live_settings(tmp_path, kraken, target_mode="auto")
        for learned in (FREE, HOLDS):
            house = await open_house(settings)
            _wrapper(house.service.desk(Mode.LIVE)).learn(learned)
            await house.close()
            again = await open_house(settings)
            assert again.service.desk(Mode.LIVE).learned == learned
            await again.close()


async def test_the_same_again_is_not_stored_again(tmp_path: Path) -> None:
    async with KrakenStandIn() as kraken:
        house = await open_house(live_settings(tmp_path, kraken))
        try:
            desk = house.service.desk(Mode.LIVE)
            _wrapper(desk).learn(HOLDS)
            stored = house.store.get(HOLDS_KEY)
            later = replace(HOLDS, at=AT.replace(hour=13))
            _wrapper(desk).learn(later)
            assert (house.store.get(HOLDS_KEY), desk.learned) == (stored, later)
            remember_holds(desk, _wrapper(desk), house.store)
            assert desk.learned == HOLDS
        finally:
            await house.close()


async def test_what_an_order_met_with_outweighs_what_balances_look_like(tmp_path: Path) -> None:
    met = replace(HOLDS, is_proof=True)
    async with KrakenStandIn() as kraken:
        house = await open_house(live_settings(tmp_path, kraken, target_mode="auto"))
        try:
            desk = house.service.desk(Mode.LIVE)
            for one, known in ((FREE, FREE), (met, met), (FREE, met)):
                _wrapper(desk).learn(one)
                assert desk.learned == known
        finally:
            await house.close()
