"""What must never become a trade or a change: each sentence is one that a person could type on a phone."""

import pytest

from bot.grammar.parse import NotParsed
from tests.bot.grammar.said_idly import HARMLESS, IDLY, UNMEANT_CHANGES
from tests.bot.grammar.support import GRAMMAR, code_of, does, meaning, parsed


@pytest.mark.parametrize("text", HARMLESS)
def test_a_sentence_that_does_not_order_a_trade_trades_nothing(text: str) -> None:
    assert does(text) == ""


@pytest.mark.parametrize("text", UNMEANT_CHANGES)
def test_a_sentence_that_does_not_order_a_change_changes_nothing(text: str) -> None:
    assert does(text) == ""


def test_there_are_enough_harmless_sentences_and_no_two_are_the_same() -> None:
    texts = [*HARMLESS, *UNMEANT_CHANGES]
    assert len(texts) == len(set(texts))
    assert len(texts) >= 400
    assert all(IDLY.values())


@pytest.mark.parametrize(
    "text",
    [
        "buy 50 worth of SOL",
        "buy 100 worth of BTC",
        "buy SOL worth 500",
        "buy SOL for 50",
        "buy SOL with 50",
        "buy SOL using 50",
        "use 50 to buy SOL",
        "go long SOL with 50",
        "enter SOL with 50",
        "buy SOL for 1.5k",
        "buy 1.5k of BTC",
        "buy BTC with 1.5k",
        "sell ETH for 3300",
    ],
)
def test_a_bare_number_that_pays_is_never_a_number_of_coins(text: str) -> None:
    answer = parsed(text)
    assert not answer["ok"] or answer["arguments"]["amount"]["unit"] == "quote"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("buy 2 @ 140 SOL", "buy SOL/USD 2 limit=140"),
        ("buy 2 at 140 SOL", "buy SOL/USD 2 limit=140"),
        ("buy 2 limit 140 SOL", "buy SOL/USD 2 limit=140"),
        ("sell 2 at 160 SOL", "sell SOL/USD 2 limit=160"),
        ("buy $50 at 140 SOL", "buy SOL/USD $50 limit=140"),
        ("buy 50 USD @ 140 SOL", "buy SOL/USD $50 limit=140"),
        ("buy $50 stop 100 SOL", "buy SOL/USD $50 sl=100"),
        ("buy $50 SL 100 TP 200 SOL", "buy SOL/USD $50 sl=100 tp=200"),
        ("buy 3% stop 100 SOL", "buy SOL/USD 3% sl=100"),
        ("buy 0.5 stop 100 SOL", "buy SOL/USD 0.5 sl=100"),
        ("buy $50 of SOL stop 100 SOL", "buy SOL/USD $50 sl=100"),
    ],
)
def test_a_price_right_behind_its_label_is_never_counted_as_coins(text: str, line: str) -> None:
    answer = parsed(text)
    assert not answer["ok"] or answer == meaning(line)


@pytest.mark.parametrize("text", ["buy SOL USD 50", "buy BTC USD 50", "buy ETH EUR 50", "/buy SOL USD 50"])
def test_a_currency_before_a_number_is_not_taken_for_the_quote_of_so_many_coins(text: str) -> None:
    answer = parsed(text)
    assert not answer["ok"] or answer["arguments"]["amount"]["unit"] == "quote"


@pytest.mark.parametrize(
    "text",
    [
        "buy 0.1 ETH limit €3000",
        "buy 0.1 ETH stop €2900",
        "buy 0.1 ETH/EUR stop $2900",
        "buy €50 of ETH @ $3200",
        "sell 0.1 ETH/USD at €3300",
        "move ETH stop to €2900",
        "buy $50 of ETH/EUR",
    ],
)
def test_a_price_in_another_currency_than_the_pairs_is_refused(text: str) -> None:
    assert code_of(text) in {"AMOUNT", "LIMIT_PRICE", "STOP_LOSS", "AMBIGUOUS"}


@pytest.mark.parametrize("text", ["sell half a bag of ETH", "sell half a position of ETH", "sell a quarter my ETH"])
def test_a_part_of_a_bag_is_never_a_part_of_a_coin(text: str) -> None:
    answer = parsed(text)
    assert not answer["ok"] or answer["arguments"]["amount"]["unit"] == "percent"


@pytest.mark.parametrize(
    "text",
    [
        "close ETH position and go long",
        "close ETH then long",
        "close ETH and long it",
        "buy 0.1 ETH and go live",
        "buy 0.1 ETH then go live",
        "go live and buy 0.1 ETH",
        "switch to live and buy 0.1 ETH",
        "buy 0.1 ETH and close SOL",
        "help me and buy 0.1 ETH",
        "mode paper. buy 0.1 ETH",
        "cancel all and flatten",
        "buy 0.1 ETH, autopilot on",
    ],
)
def test_two_requests_in_one_message_are_none(text: str) -> None:
    assert code_of(text) in {"TWO_ORDERS", "AMBIGUOUS", "NOT_A_COMMAND"}


@pytest.mark.parametrize("char", ["\ud83d", "\ue000", "\U0001faf8", "\U0001f6ab", "\u0337", "\u20e0"])
def test_a_character_that_is_not_understood_is_not_skipped(char: str) -> None:
    """A lost half of an emoji or one newer than this Python may have been the "no"."""
    assert isinstance(GRAMMAR.parse(f"buy 0.1 ETH {char}"), NotParsed)


@pytest.mark.parametrize("char", ["\u200b", "\u200d", "\ufeff", "\u202e", "\u2060"])
def test_a_character_without_a_picture_joins_no_digits(char: str) -> None:
    assert does(f"buy 0.1{char}5 ETH") == ""
    assert does(f"buy 1{char}000 ETH") == ""
