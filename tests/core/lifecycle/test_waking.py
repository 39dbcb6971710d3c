"""Which prices call for a look."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.brackets import Bracket, Level, LevelUnit
from core.domain.market import Quote
from core.domain.orders import OrderState
from core.lifecycle.waking import calls_for_a_look
from tests.core.lifecycle.build import World, bracket

D = Decimal


def _held() -> Bracket:
    world = World(bracket())
    world.step()
    return world.bracket


def quote(bid: str, last: str | None = None) -> Quote:
    return Quote("ZEC/USD", D(bid), D(bid), D(last or bid), _held().created_at, "test")


def _resting(one: Bracket) -> Bracket:
    """The same with its target at the venue."""
    orders = tuple(replace(o, state=OrderState.OPEN) if o.state is OrderState.HELD else o for o in one.orders)
    return replace(one, orders=orders)


NOW = _held().created_at
TRAILING: dict[str, Any] = {"trail": Level(D(2), LevelUnit.PERCENT), "trail_high": D(100), "stop_price": D(98)}


@pytest.mark.parametrize(
    ("made", "shown", "calls"),
    [
        (_held(), quote("102"), True),
        (_held(), quote("101.99"), False),
        (_held(), quote("101.99", last="103"), False),
        (replace(_held(), target_retry_at=NOW + timedelta(seconds=1)), quote("102"), False),
        (replace(_held(), target_retry_at=NOW), quote("102"), True),
        (_resting(_held()), quote("105"), False),
        (_held(), quote("98"), False),
        (replace(_held(), protect_failures=1), quote("98"), True),
        (replace(_held(), protect_failures=1), quote("98", last="99.5"), False),
        (replace(_held(), unprotected_since=NOW - timedelta(seconds=16)), quote("99"), True),
        (replace(_held(), unprotected_since=NOW - timedelta(seconds=14)), quote("99"), False),
        (replace(_held(), **TRAILING), quote("100"), False),
        (replace(_held(), **TRAILING), quote("100.19"), False),
        (replace(_held(), **TRAILING), quote("100.21"), True),
        (replace(_held(), **TRAILING), quote("99"), False),
        (replace(_resting(_held()), **TRAILING), quote("101"), True),
        (replace(_held(), stop_price=None), quote("1"), False),
        (replace(_held(), gone=D(1)), quote("102"), False),
        (bracket(), quote("1000"), False),
    ],
)  # fmt: skip
def test_a_price_calls_for_a_look_only_where_zyn_itself_has_to_act(made: Bracket, shown: Quote, *, calls: bool) -> None:
    assert calls_for_a_look(made, shown, NOW) is calls
