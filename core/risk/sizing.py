"""PURE. From what a person says ("$50", "half", "risk 1 %") to a quantity of base."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.money import HUNDRED, ONE, ZERO, divide, percent_of, plain


class AmountUnit(StrEnum):
    """Base coins, quote currency, percent of the balance or the holding, or percent of equity at risk."""

    BASE = "base"
    QUOTE = "quote"
    PERCENT = "percent"
    RISK_PERCENT = "risk_percent"


@dataclass(frozen=True, slots=True)
class Funds:
    """What a size can be a part of: quote available and equity in quote, and the price of one unit with its stop."""

    available: Decimal
    equity: Decimal
    price: Decimal
    risk: Decimal
    taker_pct: Decimal


def size_entry(value: Decimal, unit: AmountUnit, funds: Funds, instrument: Instrument) -> Decimal:
    """Quantity to buy, rounded down to the lot. Raises Denied when it rounds to nothing."""
    if unit is AmountUnit.BASE:
        quantity = value
    elif unit is AmountUnit.QUOTE:
        quantity = divide(value, funds.price)
    elif unit is AmountUnit.PERCENT:
        spendable = divide(percent_of(funds.available, value), ONE + divide(funds.taker_pct, HUNDRED))
        quantity = divide(spendable, funds.price)
    else:
        if funds.risk <= ZERO:
            raise Denied(Code.AMOUNT, "a size by risk needs a stop below the entry; give one")
        quantity = divide(percent_of(funds.equity, value), funds.risk)
    return _whole(quantity, instrument, funds.price)


def size_exit(value: Decimal, unit: AmountUnit, held: Decimal, bid: Decimal, instrument: Instrument) -> Decimal:
    """Quantity to sell out of `held`, rounded down to the lot. Raises Denied when it makes no sense."""
    if unit is AmountUnit.RISK_PERCENT:
        raise Denied(Code.AMOUNT, "a sale has no risk to size it by; give an amount, a percentage or 'all'")
    if unit is AmountUnit.BASE:
        quantity = value
    elif unit is AmountUnit.QUOTE:
        quantity = divide(value, bid)
    else:
        quantity = percent_of(held, value)
    return _whole(quantity, instrument, bid)


def _whole(quantity: Decimal, instrument: Instrument, price: Decimal) -> Decimal:
    rounded = instrument.quantity(quantity)
    if rounded <= ZERO:
        smallest = instrument.minimum_quantity(price)
        raise Denied(
            Code.MINIMUM,
            f"that is {plain(quantity)} {instrument.base}, less than one lot; "
            f"the venue takes {plain(smallest)} or more",
        )
    return rounded
