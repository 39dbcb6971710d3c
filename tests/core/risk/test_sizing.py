"""From what a person says to a quantity."""

from decimal import Decimal

import pytest

from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.risk.sizing import AmountUnit, Funds, size_entry, size_exit

D = Decimal

ZEC = Instrument("ZEC/USD", D("0.01"), D("0.0001"), D("0.01"), D("0.5"))
FUNDS = Funds(available=D(1000), equity=D(2000), price=D(500), risk=D(5), taker_pct=D("0.4"))


@pytest.mark.parametrize(
    ("value", "unit", "quantity"),
    [
        ("0.04", AmountUnit.BASE, "0.04"),
        ("0.04009", AmountUnit.BASE, "0.0400"),
        ("50", AmountUnit.QUOTE, "0.1"),
        ("10", AmountUnit.PERCENT, "0.1992"),
        ("1", AmountUnit.RISK_PERCENT, "4"),
    ],
)
def test_an_entry_is_sized_by_its_unit_and_rounded_down_to_the_lot(value: str, unit: AmountUnit, quantity: str) -> None:
    assert size_entry(D(value), unit, FUNDS, ZEC) == D(quantity)


def test_all_of_the_balance_leaves_room_for_the_fee() -> None:
    quantity = size_entry(D(100), AmountUnit.PERCENT, FUNDS, ZEC)
    assert quantity * D(500) * D("1.004") <= D(1000)


@pytest.mark.parametrize(
    ("value", "unit", "quantity"),
    [("0.1", AmountUnit.BASE, "0.1"), ("100", AmountUnit.QUOTE, "0.2"), ("50", AmountUnit.PERCENT, "0.2")],
)
def test_an_exit_is_sized_by_what_is_held(value: str, unit: AmountUnit, quantity: str) -> None:
    assert size_exit(D(value), unit, D("0.4"), D(500), ZEC) == D(quantity)


def test_a_sale_cannot_be_sized_by_risk() -> None:
    with pytest.raises(Denied) as caught:
        size_exit(D(1), AmountUnit.RISK_PERCENT, D(1), D(500), ZEC)
    assert caught.value.code is Code.AMOUNT


def test_less_than_one_lot_is_refused_with_the_smallest_quantity_that_would_do() -> None:
    with pytest.raises(Denied) as caught:
        size_entry(D("0.00001"), AmountUnit.BASE, FUNDS, ZEC)
    assert caught.value.code is Code.MINIMUM
    assert "0.01 or more" in caught.value.message
