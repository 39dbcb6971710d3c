"""Names of files: the pair and the interval that they say, or nothing."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.exchange.translate_public import instruments
from core.history.naming import FileName, read_name, symbol_of

MISREAD_WITHOUT_THE_LIST = {"MONAUSD", "XBTAUSD", "XRPRLUSD"}
"""AUSD and RLUSD are currencies, A and RL the ends of coins."""


@pytest.mark.parametrize(
    ("name", "symbol", "interval_s"),
    [
        ("ETHUSD_5.csv", "ETH/USD", 300),
        ("XBTEUR_1440.csv.gz", "BTC/EUR", 86_400),
        ("XDGUSD_1.csv", "DOGE/USD", 60),
        ("bundle/2024/ETHXBT_60.csv", "ETH/BTC", 3600),
        ("kraken_OHLCVT_ETHUSD_5.csv.gz", "ETH/USD", 300),
        ("kraken_ETH_USD_5m.csv", "ETH/USD", 300),
        ("kraken_GRTETH_15M.csv.gz", "GRT/ETH", 900),
        ("sol-eur-4h.csv", "SOL/EUR", 14_400),
        ("USDTUSD_720.csv", "USDT/USD", 43_200),
        ("1INCHUSD_5.csv", "1INCH/USD", 300),
        ("ETHUSD_10080.csv", "ETH/USD", 604_800),
    ],
)
def test_pair_and_minutes_are_read_from_the_name(name: str, symbol: str, interval_s: int) -> None:
    assert read_name(name) == FileName(symbol, interval_s)


@pytest.mark.parametrize("name", ["ETHUSD.csv", "ETHUSD_7.csv", "ETHUSD_0.csv", "ETHUSD_99999.csv"])
def test_an_interval_that_is_none_is_not_guessed(name: str) -> None:
    assert read_name(name) == FileName("ETH/USD", None)


@pytest.mark.parametrize(
    "name", ["5.csv", ".csv", "", "README_5.csv", "JITOSOLSOL_5.csv", "_5.csv", "ETH/USD/5", "ETHUSD_5x.csv"]
)
def test_a_pair_that_is_none_is_not_guessed(name: str) -> None:
    assert read_name(name).symbol is None


def test_every_pair_that_kraken_lists_is_read_rightly_by_the_list(recording: Callable[[str], Path]) -> None:
    path = recording("kraken/imranpollob__coins/AssetPairs_2026-01.json.gz")
    body = json.loads(gzip.decompress(path.read_bytes()))
    rows = body.get("result", body)
    listed = instruments(rows)
    theirs = {rows[one.venue_name]["altname"]: symbol for symbol, one in listed.items()}
    assert len(theirs) > 1000
    assert {name: read_name(f"{name}_5.csv", frozenset(listed)).symbol for name in theirs} == theirs
    alone = {name: read_name(f"{name}_5.csv").symbol for name in theirs}
    wrong = {name for name, symbol in alone.items() if symbol not in {None, theirs[name]}}
    assert wrong == MISREAD_WITHOUT_THE_LIST
    assert sum(symbol is None for symbol in alone.values()) < 20


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("eth/usd", "ETH/USD"), ("XBT/EUR", "BTC/EUR"), ("sol", "SOL/USD"), (" xdg ", "DOGE/USD"), ("a", "A/USD")],
)
def test_a_person_may_leave_the_currency_out(text: str, symbol: str) -> None:
    assert symbol_of(text, "USD") == symbol


@pytest.mark.parametrize("text", ["", "/", "ETH/", "ETH/USD/5", "ETH USD", "ETH/ USD;", "x" * 30, "eth/u"])
def test_what_is_no_symbol_is_none(text: str) -> None:
    assert symbol_of(text, "USD") is None
