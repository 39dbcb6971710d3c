"""PURE. What the name of a file says about its candles: Kraken calls them ETHUSD_5.csv, pair and minutes."""

import re
from collections.abc import Collection
from typing import NamedTuple

from core.history.rows import is_interval

SUFFIXES = (".csv", ".csv.gz")
_OUR_SPELLING = {"XBT": "BTC", "XDG": "DOGE"}
_QUOTES = tuple("USDT USDC PYUSD USD EUR GBP CAD AUD JPY CHF XBT BTC ETH DAI".split())
"""Those that are rarely the end of another. The rest (AUSD, RLUSD, SOL …) is told apart by the list of pairs alone."""

_PAIR = re.compile(rf"([A-Z0-9]{{1,10}}?)({'|'.join(_QUOTES)})")
_INTERVAL = re.compile(r"([0-9]{1,5})([MHD]?)")
_MINUTES = {"": 1, "M": 1, "H": 60, "D": 1440}
_LENGTH_MAX = 24


class FileName(NamedTuple):
    """What a name says; None for what it does not."""

    symbol: str | None
    interval_s: int | None


def read_name(name: str, symbols: Collection[str] = ()) -> FileName:
    """Symbol and interval of a file like ETHUSD_5.csv, XBTEUR_1440.csv.gz or kraken_ETH_USD_5m.csv.

    `symbols` are the pairs that are known: a name that spells one of them is that one. Nothing is guessed: a name that
    could be cut in several ways, or that has no interval, says None there.
    """
    stem = name.rpartition("/")[2].upper()
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix.upper())
    *before, last = re.split(r"[_-]", stem)
    match = _INTERVAL.fullmatch(last)
    interval_s = int(match[1]) * _MINUTES[match[2]] * 60 if match else 0
    words = before if match else [*before, last]
    return FileName(_symbol(words, symbols), interval_s if is_interval(interval_s) else None)


def symbol_of(text: str, quote: str) -> str | None:
    """The symbol that a person means: ETH/USD, xbt/eur, or a coin alone, to which `quote` is added. None for none."""
    base, slash, named = text.strip().upper().partition("/")
    if not re.fullmatch(r"[A-Z0-9.]{1,12}", base) or (slash and not re.fullmatch(r"[A-Z0-9.]{2,10}", named)):
        return None
    return _joined(base, named or quote)


def _symbol(words: list[str], symbols: Collection[str]) -> str | None:
    """The pair at the end of a name's words, written as one of them or as two."""
    if not words:
        return None
    for text in (words[-1], "".join(words[-2:])):
        known = _known(text, symbols)
        if known is not None:
            return known
    match = _PAIR.fullmatch(words[-1])
    if match is None and len(words) > 1 and words[-1] in _QUOTES and re.fullmatch(r"[A-Z0-9]{1,10}", words[-2]):
        return _joined(words[-2], words[-1])
    return _joined(match[1], match[2]) if match else None


def _known(text: str, symbols: Collection[str]) -> str | None:
    """The one known pair that `text` spells; None for none, and for a spelling that two pairs share."""
    cuts = (_joined(text[:cut], text[cut:]) for cut in range(1, len(text)))
    found = {symbol for symbol in cuts if symbol in symbols}
    return found.pop() if len(found) == 1 else None


def _joined(base: str, quote: str) -> str | None:
    symbol = f"{_OUR_SPELLING.get(base, base)}/{_OUR_SPELLING.get(quote, quote)}"
    return symbol if len(symbol) <= _LENGTH_MAX else None
