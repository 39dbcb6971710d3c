"""The built-in table of instruments against Kraken's own description of them."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from core.market.builtin import COIN_NAMES, PRICE_LEVELS, builtin_instruments


def test_every_built_in_instrument_has_krakens_sizes_and_minimums(recording: Callable[[str], Path]) -> None:
    with gzip.open(recording("kraken/imranpollob__coins/AssetPairs_2026-01.json.gz"), "rt") as file:
        listed = json.load(file)
    pairs = listed.get("result", listed)
    for symbol, instrument in builtin_instruments().items():
        pair = pairs[instrument.venue_name]
        said = [Decimal(str(pair[name])) for name in ("tick_size", "ordermin", "costmin")]
        assert [instrument.tick_size, instrument.order_min, instrument.cost_min] == said, symbol
        assert instrument.lot_size == Decimal(1).scaleb(-int(pair["lot_decimals"])), symbol
        names = {"XBT": "BTC", "XDG": "DOGE"}
        assert [names.get(part, part) for part in pair["wsname"].split("/")] == [instrument.base, instrument.quote]


@pytest.mark.parametrize("coin", sorted({one.base for one in builtin_instruments().values()}))
def test_every_built_in_coin_has_a_price_level(coin: str) -> None:
    assert PRICE_LEVELS[coin] > 0


def test_every_spoken_coin_name_leads_to_a_coin_of_the_table() -> None:
    assert set(COIN_NAMES.values()) <= set(PRICE_LEVELS)
