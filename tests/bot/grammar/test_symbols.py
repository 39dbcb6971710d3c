"""The book of symbols: pairs always, coins only where the word means nothing else."""

import pytest

from bot.grammar.symbols import SymbolBook
from bot.grammar.vocabulary import reserved_words
from core.market.builtin import builtin_instruments
from tests.bot.grammar.support import BOOK, code_of, does, parsed

WORDLIKE = ("A", "S", "ME", "NOT", "OPEN", "ORDER", "STEP")


@pytest.mark.parametrize("coin", WORDLIKE)
def test_a_coin_that_is_a_word_counts_only_with_a_dollar_or_a_quote(coin: str) -> None:
    assert BOOK.coin(coin, marked=False) is None
    assert BOOK.coin(coin.lower(), marked=False) is None
    assert BOOK.coin(coin, marked=True) == coin
    assert BOOK.pair(f"{coin}/USD") == f"{coin}/USD"
    assert BOOK.pair(f"{coin.lower()}-usd") == f"{coin}/USD"


@pytest.mark.parametrize("coin", WORDLIKE)
def test_a_word_that_is_a_coin_does_not_turn_a_sentence_into_its_trade(coin: str) -> None:
    assert does(f"buy 50 {coin}") == ""
    assert does(f"close {coin}") == ""
    assert parsed(f"buy 50 ${coin}")["arguments"]["symbol"] == f"{coin}/USD"
    assert parsed(f"close {coin}/USD")["arguments"]["symbol"] == f"{coin}/USD"


def test_a_word_that_is_a_coin_keeps_its_meaning_in_the_sentence() -> None:
    assert code_of("do NOT buy 0.1 ETH") == "NEGATED"
    assert parsed("buy ME 0.1 ETH")["arguments"]["symbol"] == "ETH/USD"
    assert parsed("buy A bitcoin for $50")["arguments"]["symbol"] == "BTC/USD"
    assert parsed("show OPEN ORDERS")["command"] == "open"
    assert parsed("place an ORDER to buy 0.1 ETH")["arguments"]["symbol"] == "ETH/USD"


def test_the_reserved_words_hold_every_wordlike_coin() -> None:
    assert {coin.lower() for coin in WORDLIKE} <= reserved_words()


def test_no_well_known_coin_is_a_reserved_word() -> None:
    assert not {"btc", "eth", "sol", "zec", "xrp", "doge", "ada", "ltc", "dot", "bitcoin", "zcash"} & reserved_words()


@pytest.mark.parametrize(
    "text", ["ETH/USD", "eth/usd", "ETH-USD", "ETH_USD", "ETH:USD", "ETHUSD", "XETHZUSD", "$ETH/USD", "ether/usd"]
)
def test_a_pair_is_found_in_every_notation(text: str) -> None:
    assert BOOK.pair(text) == "ETH/USD"


@pytest.mark.parametrize(
    "text", ["ETH/XYZ", "XYZ/USD", "USD/ETH", "ETHUSDX", "USD", "ETH", "", "/", "ETH/", "/USD", "usdusd", "$"]
)
def test_what_is_no_pair_is_none(text: str) -> None:
    assert BOOK.pair(text) is None


def test_a_coin_is_known_by_ticker_alias_and_name() -> None:
    assert [BOOK.coin(text, marked=False) for text in ("XBT", "bitcoin", "XDG", "ripple", "nonsense")] == [
        "BTC",
        "BTC",
        "DOGE",
        "XRP",
        None,
    ]


def test_a_coin_alone_is_paired_with_the_spoken_currency_else_with_the_owners() -> None:
    euros = SymbolBook(builtin_instruments(), "EUR", reserved_words(), {})
    assert BOOK.choose("ETH", "") == "ETH/USD"
    assert BOOK.choose("ETH", "EUR") == "ETH/EUR"
    assert euros.choose("ETH", "") == "ETH/EUR"
    assert euros.choose("PEPE", "") == "PEPE/USD"
    assert BOOK.choose("PEPE", "EUR") is None


def test_a_single_letter_is_never_a_coin_without_a_mark() -> None:
    book = SymbolBook(["T/USD", "W/USD"], "USD", frozenset(), {})
    assert book.coin("t", marked=False) is None
    assert book.coin("T", marked=True) == "T"


def test_every_built_in_instrument_is_found_by_its_own_name_and_by_the_venues() -> None:
    for symbol, instrument in builtin_instruments().items():
        assert BOOK.pair(symbol) == symbol
        assert BOOK.pair(symbol.replace("/", "-").lower()) == symbol
        if instrument.venue_name:
            assert BOOK.pair(instrument.venue_name) == symbol


def test_words_that_decide_for_a_sentence_are_never_coins() -> None:
    deciding = (
        "if",
        "when",
        "never",
        "no",
        "dont",
        "should",
        "was",
        "bought",
        "said",
        "tomorrow",
        "wait",
        "maybe",
        "will",
    )
    book = SymbolBook([f"{word.upper()}/USD" for word in deciding], "USD", reserved_words(), {})
    assert [word for word in deciding if book.coin(word, marked=False)] == []
