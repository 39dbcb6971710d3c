"""Choosing what to watch: each figure keeps out what it should, and says so."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.strategy.config import Universe
from core.strategy.universe import Chosen, LeftOut, choose

D = Decimal
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def pair(symbol: str, **given: Any) -> Instrument:
    one = Instrument(symbol, D("0.01"), D("0.0001"), D("0.01"), D("0.5"), symbol.replace("/", ""))
    return replace(one, **given)


def quote(symbol: str, turnover: str | None, *, ask: str = "100.05") -> Quote:
    return Quote(symbol, D(100), D(ask), D(100), NOW, "test", D(turnover) if turnover is not None else None)


def chosen(
    pairs: dict[str, str | None], config: Universe | None = None, *, position: str = "2500", **odd: Instrument
) -> Chosen:
    instruments = [odd.get(symbol.partition("/")[0], pair(symbol)) for symbol in pairs]
    quotes = {symbol: quote(symbol, turnover) for symbol, turnover in pairs.items()}
    return choose(instruments, quotes, config or Universe(size=3), currency="USD", position_quote=D(position))


def test_the_most_traded_come_first_and_the_rest_are_left_out_by_rank() -> None:
    found = chosen({"A/USD": "2e6", "B/USD": "9e6", "C/USD": "3e6", "D/USD": "1.5e6"})
    assert found.symbols == ("B/USD", "C/USD", "A/USD")
    assert found.left_out["D/USD"] == (LeftOut.RANK, "number 4 by turnover (1,500,000.00 USD)")


@pytest.mark.parametrize(
    ("symbol", "turnover", "odd", "why"),
    [
        ("Z/USD", "999999", {}, LeftOut.VOLUME), ("Z/USD", None, {}, LeftOut.NO_FIGURES),
        ("USDT/USD", "9e9", {}, LeftOut.MONEY), ("Z/USD", "9e9", {"status": "cancel_only"}, LeftOut.CLOSED),
        ("Z/USD", "9e9", {"order_min": D(30)}, LeftOut.MINIMUM),
    ],
)  # fmt: skip
def test_each_figure_keeps_out_what_it_should(
    symbol: str, turnover: str | None, odd: dict[str, Any], why: LeftOut
) -> None:
    found = chosen({symbol: turnover, "B/USD": "9e6"}, Z=pair("Z/USD", **odd))
    assert found.symbols == ("B/USD",)
    assert found.left_out[symbol][0] is why


def test_a_wide_spread_keeps_out() -> None:
    found = choose(
        [pair("A/USD")], {"A/USD": quote("A/USD", "9e9", ask="101")}, Universe(), currency="USD", position_quote=D(2500)
    )
    assert found.left_out["A/USD"] == (LeftOut.SPREAD, "0.995% of at most 0.2%")


def test_pairs_of_other_currencies_are_no_candidates() -> None:
    found = chosen({"A/EUR": "9e9", "B/USD": "9e6"})
    assert (found.symbols, found.left_out) == (("B/USD",), {})
