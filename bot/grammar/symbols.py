"""PURE. Which words are symbols: pairs always, coins where the word means nothing else."""

from collections.abc import Collection, Iterable, Mapping

from core.market.builtin import COIN_NAMES

_SHORTEST = 5
"""Letters of the shortest pair that is written in one word (SUSD would be one, and is also a word)."""
_SEPARATORS = str.maketrans({"-": "/", "_": "/", ":": "/"})


class SymbolBook:
    """The known instruments, and how people write them.

    `reserved` are words of the grammar: as coins (A, S, ME, NOT, OPEN …) they count only with `$` or a quote.
    """

    def __init__(
        self, symbols: Iterable[str], quote: str, reserved: Collection[str], venue_names: Mapping[str, str]
    ) -> None:
        self._symbols = frozenset(symbols)
        self.quote = quote
        self._reserved = reserved
        self._bases = frozenset(symbol.partition("/")[0] for symbol in self._symbols)
        self._quotes = frozenset(symbol.partition("/")[2] for symbol in self._symbols)
        self._venue_names = dict(venue_names)

    def pair(self, text: str) -> str | None:
        """The pair that `text` writes (ZEC/USD, zec-usd, ZECUSD, XXBTZUSD, $ZEC/USD), None if it is none we know."""
        text = text.lstrip("$").upper().translate(_SEPARATORS)
        if "/" in text:
            base, _, quote = text.partition("/")
            return self._known(self._alias(base), self._alias(quote))
        if text in self._venue_names:
            return self._venue_names[text]
        if len(text) < _SHORTEST or text.lower() in self._reserved:
            return None
        for quote in ("USDT", "USDC", "USD", "EUR", "GBP", "XBT", "BTC", "ETH"):
            if text.endswith(quote) and len(text) > len(quote):
                found = self._known(self._alias(text[: -len(quote)]), self._alias(quote))
                if found is not None:
                    return found
        return None

    def coin(self, text: str, *, marked: bool) -> str | None:
        """The coin that `text` names, None if it is none we know, or a word of the language without its `$` mark."""
        lower = text.lower()
        if not marked and (lower in self._reserved or len(lower) == 1):
            return None
        alias = self._alias(text.upper())
        if alias not in self._bases and lower.endswith("s"):
            alias = COIN_NAMES.get(lower[:-1], alias)
        return alias if alias in self._bases else None

    def choose(self, coin: str, currency: str) -> str | None:
        """The pair for a coin named alone, against `currency` if one was spoken, else against the owner's own."""
        return self._known(coin, currency or self.quote) or (self._known(coin, "USD") if not currency else None)

    def _known(self, base: str, quote: str) -> str | None:
        symbol = f"{base}/{quote}"
        return symbol if symbol in self._symbols else None

    @staticmethod
    def _alias(text: str) -> str:
        return COIN_NAMES.get(text.lower(), text)
