"""PURE. Which symbols are worth watching: traded much, closely quoted, and in sizes that the account can pay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.money import cents, times
from core.strategy.config import Universe

_MONEY = frozenset(
    "USD EUR GBP CAD JPY AUD CHF USDT USDC DAI PYUSD USDG USDS RLUSD EURT EURC EURQ EURR USDQ USDR TUSD USDD "
    "UST".split()
)
"""What stands still beside the dollar by design: there is nothing to follow."""


class LeftOut(StrEnum):
    """Why a symbol is not watched."""

    CLOSED = "closed"
    MONEY = "money"
    NO_FIGURES = "no_figures"
    VOLUME = "volume"
    SPREAD = "spread"
    MINIMUM = "minimum"
    RANK = "rank"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The symbols to watch, by turnover, and why each other candidate was left out, with its number."""

    symbols: tuple[str, ...]
    left_out: Mapping[str, tuple[LeftOut, str]]


def choose(
    instruments: Iterable[Instrument],
    quotes: Mapping[str, Quote],
    config: Universe,
    *,
    currency: str,
    position_quote: Decimal,
) -> Chosen:
    """The `config.size` most traded pairs of `currency` that pass; `position_quote` is what one position is worth."""
    left_out: dict[str, tuple[LeftOut, str]] = {}
    passed: list[tuple[Decimal, str]] = []
    for one in instruments:
        if one.quote != currency:
            continue
        quote = quotes.get(one.symbol)
        why = _objection(one, quote, config, position_quote)
        if why is not None:
            left_out[one.symbol] = why
        elif quote is not None and quote.turnover is not None:
            passed.append((quote.turnover, one.symbol))
    passed.sort(key=lambda found: (-found[0], found[1]))
    for rank, (turnover, symbol) in enumerate(passed[config.size :], config.size + 1):
        left_out[symbol] = (LeftOut.RANK, f"number {rank} by turnover ({cents(turnover)} {currency})")
    return Chosen(tuple(symbol for _, symbol in passed[: config.size]), left_out)


def _objection(
    one: Instrument, quote: Quote | None, config: Universe, position_quote: Decimal
) -> tuple[LeftOut, str] | None:
    if one.status not in {"online", "unknown"} or one.base in _MONEY:
        return (LeftOut.MONEY, one.base) if one.base in _MONEY else (LeftOut.CLOSED, one.status)
    if quote is None or quote.turnover is None:
        return LeftOut.NO_FIGURES, "no price or no turnover"
    if quote.turnover < Decimal(repr(config.volume_quote_min)):
        return LeftOut.VOLUME, f"{cents(quote.turnover)} of {config.volume_quote_min:,.0f} {one.quote} a day"
    if quote.spread_pct > Decimal(repr(config.spread_max_pct)):
        return LeftOut.SPREAD, f"{round(quote.spread_pct, 3)}% of at most {config.spread_max_pct:g}%"
    least = times(one.minimum_quantity(quote.ask), quote.ask)
    if least > position_quote:
        return LeftOut.MINIMUM, f"the smallest order costs {cents(least)}, a position is worth {cents(position_quote)}"
    return None
