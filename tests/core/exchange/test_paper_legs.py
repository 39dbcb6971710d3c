"""Two legs at the paper venue, one pile of coins: what one position does never takes the cover of another."""

import pytest

from core.domain.brackets import Bracket
from core.domain.modes import TargetMode
from core.domain.orders import OrderState, Role
from tests.rig import Rig, Wiring, open_rig

ETH = "ETH/USD"


def legs(bracket: Bracket, role: Role) -> list[OrderState]:
    return [order.state for order in bracket.of_role(role)]


async def fill_two_entries_below_the_first_ones_stop(rig: Rig) -> tuple[Bracket, Bracket]:
    """One trade fills both entries and lies below the stop of the first position already."""
    for text in ("buy 1 ETH limit 3000 SL 1% TP 2%", "buy 1 ETH limit 3010 SL 5% TP 3%"):
        reply = await rig.tell(text)
        assert reply.ok, reply.text
    rig.hand.trade(ETH, "2950")
    await rig.tick()
    first, second = (rig.desk.ledger.bracket(name) for name in ("zy00000001", "zy00000002"))
    assert first is not None
    assert second is not None
    return first, second


@pytest.mark.parametrize("mode", [TargetMode.RESTING, TargetMode.EMULATED])
async def test_a_stop_that_sells_on_arrival_sends_no_target_after_coins_that_are_gone(mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=mode)) as rig:
        first, _ = await fill_two_entries_below_the_first_ones_stop(rig)
        assert legs(first, Role.STOP) == [OrderState.FILLED]
        assert all(order.venue_id is None for order in first.of_role(Role.TARGET)), first.orders


@pytest.mark.parametrize("mode", [TargetMode.RESTING, TargetMode.EMULATED])
async def test_a_position_whose_stop_sells_on_arrival_does_not_cost_the_next_one_its_stop(mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=mode)) as rig:
        _, second = await fill_two_entries_below_the_first_ones_stop(rig)
        assert legs(second, Role.STOP) == [OrderState.OPEN]
        assert second.protect_failures == 0


@pytest.mark.parametrize("mode", [TargetMode.RESTING, TargetMode.EMULATED])
async def test_no_alert_says_that_zyn_holds_the_target_of_a_position_that_is_gone(mode: TargetMode) -> None:
    async with open_rig(Wiring(target_mode=mode)) as rig:
        await rig.tell("buy 1 ETH limit 3000 SL 1% TP 2%")
        rig.hand.trade(ETH, "2950")
        await rig.tick()
        kinds = [alert.kind for alert in rig.store.waiting_alerts()]
    assert kinds == ["entry_filled", "stop_filled", "closed"]
