"""Exact arithmetic on money, prices and quantities.

Some libraries change the process-wide decimal context (rounding and traps), so nothing here relies on it: each
inexact operation names its own rounding or uses the private context below.
"""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)
CENT = Decimal("0.01")

_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero])


def add(*values: Decimal) -> Decimal:
    """Sum without touching the process-wide context."""
    total = ZERO
    for value in values:
        total = _CONTEXT.add(total, value)
    return total


def times(left: Decimal, right: Decimal) -> Decimal:
    """Product to 40 significant digits, half to even."""
    return _CONTEXT.multiply(left, right)


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Quotient to 40 significant digits, half to even. Raises ZeroDivisionError for a zero divisor."""
    return _CONTEXT.divide(dividend, divisor)


def percent_of(value: Decimal, percent: Decimal) -> Decimal:
    """`percent` (1 means 1 %) of `value`."""
    return divide(times(value, percent), HUNDRED)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value` in size (rounds toward zero)."""
    return _multiple(value, step, ROUND_DOWN)


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value`."""
    return _multiple(value, step, ROUND_CEILING)


def nearest_to(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `value`, halves to the even multiple."""
    return _multiple(value, step, ROUND_HALF_EVEN)


def _multiple(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    count = _CONTEXT.divide(value, step).quantize(ONE, rounding=rounding, context=_CONTEXT)
    return _CONTEXT.multiply(count, step).quantize(step, rounding=rounding, context=_CONTEXT)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """True when `value` lies exactly on the grid of `step`."""
    return _CONTEXT.remainder(value, step) == ZERO


def plain(value: Decimal) -> str:
    """Decimal as a person writes it: no exponent, no trailing zeros ("0.04", "1200", "0")."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def cents(value: Decimal) -> str:
    """An amount of quote currency to two places, or to four significant digits when it is smaller than a cent."""
    if value != ZERO and abs(value) < CENT:
        return plain(Decimal(f"{value:.4g}"))
    rounded = value.quantize(CENT, rounding=ROUND_HALF_EVEN, context=_CONTEXT)
    return format(abs(rounded) if rounded == ZERO else rounded, ",f")
