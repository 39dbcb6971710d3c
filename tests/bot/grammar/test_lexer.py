"""The lexer: typed tokens, whatever the command."""

from decimal import Decimal

import pytest

from bot.grammar.lexer import MAX_DIGITS, Kind, normalise
from tests.bot.grammar.support import tokens


def kinds(text: str) -> list[Kind]:
    return [token.kind for token in tokens(text)]


def test_an_order_becomes_words_numbers_symbols_and_marks() -> None:
    assert [(token.kind, token.text) for token in tokens("Buy 0.04 ZEC/USD, SL 1%.")] == [
        (Kind.WORD, "buy"),
        (Kind.NUMBER, "0.04"),
        (Kind.SYMBOL, "zec/usd"),
        (Kind.PUNCTUATION, ","),
        (Kind.WORD, "sl"),
        (Kind.PERCENT, "1%"),
        (Kind.PUNCTUATION, "."),
    ]


def test_a_text_is_lower_case_and_its_raw_form_is_as_typed() -> None:
    token = tokens("BUY")[0]
    assert (token.text, token.raw) == ("buy", "BUY")


def test_nothing_gives_no_tokens() -> None:
    assert [tokens(text) for text in ("", "  ", "\n\t")] == [[], [], []]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.04", "0.04"),
        (".5", "0.5"),
        ("007", "7"),
        ("1,000", "1000"),
        ("3,200.50", "3200.50"),
        ("1,234,567.8", "1234567.8"),
        ("1.5k", "1500"),
        ("2m", "2000000"),
        ("0.5k", "500"),
        ("100,", "100"),
        ("3200.", "3200"),
        ("12,", "12"),
    ],
)
def test_a_number_is_exact_and_a_mark_behind_it_is_no_part_of_it(text: str, value: str) -> None:
    token = tokens(text)[0]
    assert token.kind is Kind.NUMBER
    assert token.value == Decimal(value)


@pytest.mark.parametrize(
    "text", ["0,04", "1,5", "1,00", "1.000,50", "1.2.3", "0,100", "12,34", "1,2345", "9" * (MAX_DIGITS + 1)]
)
def test_a_number_that_can_be_read_in_two_ways_is_a_bad_number_without_a_value(text: str) -> None:
    token = tokens(text)[0]
    assert token.kind is Kind.BAD_NUMBER
    assert token.value is None


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1%", Kind.PERCENT, "1"),
        ("0.5 %", Kind.PERCENT, "0.5"),
        ("2 percent", Kind.PERCENT, "2"),
        ("2pct", Kind.PERCENT, "2"),
        ("2 per cent", Kind.PERCENT, "2"),
        ("2 ATR", Kind.ATR, "2"),
        ("2atr", Kind.ATR, "2"),
        ("2x ATR", Kind.ATR, "2"),
        ("2 x ATR", Kind.ATR, "2"),
        ("1.5xATR", Kind.ATR, "1.5"),
        ("3R", Kind.R, "3"),
        ("2.5 r", Kind.R, "2.5"),
        ("30d", Kind.DAYS, "30"),
        ("30 days", Kind.DAYS, "30"),
        ("1 day", Kind.DAYS, "1"),
    ],
)
def test_a_number_takes_the_unit_beside_it(text: str, kind: Kind, value: str) -> None:
    assert [(token.kind, token.value) for token in tokens(text)] == [(kind, Decimal(value))]


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$50", "50", "USD"),
        ("$ 50", "50", "USD"),
        ("50 usd", "50", "USD"),
        ("50usd", "50", "USD"),
        ("usd 50", "50", "USD"),
        ("$50 usd", "50", "USD"),
        ("50 dollars", "50", "USD"),
        ("50 bucks", "50", "USD"),
        ("€50", "50", "EUR"),
        ("50 EUR", "50", "EUR"),
        ("50 euros", "50", "EUR"),
        ("$1.5k", "1500", "USD"),
        ("$1,500.25", "1500.25", "USD"),
        ("50$", "50", "USD"),
        ("50€", "50", "EUR"),
    ],
)
def test_a_number_with_a_currency_is_money(text: str, value: str, currency: str) -> None:
    assert [(token.kind, token.value, token.currency) for token in tokens(text)] == [
        (Kind.MONEY, Decimal(value), currency)
    ]


@pytest.mark.parametrize(("text", "sign"), [("+1%", "+"), ("-1%", "-"), ("1%", ""), ("-3000", "-"), ("-$50", "-")])
def test_an_explicit_sign_is_kept_apart_from_the_value(text: str, sign: str) -> None:
    token = tokens(text)[-1]
    assert token.signed == sign
    assert token.value is not None
    assert token.value > 0


@pytest.mark.parametrize("text", ["5pm", "5 pm", "17:00", "9:30 am", "5 p.m."])
def test_a_clock_time_is_a_time_and_not_a_number(text: str) -> None:
    assert kinds(text)[0] is Kind.TIME


@pytest.mark.parametrize(
    "text", ["PX-000007", "OABCDE-FGHIJ-KLMNOP", "123e4567-e89b-12d3-a456-426614174000", "zy1a2b3c4d-1"]
)
def test_an_order_id_is_one_token_with_its_case_kept(text: str) -> None:
    token = tokens(text)[0]
    assert (token.kind, token.raw) == (Kind.ID, text)


@pytest.mark.parametrize("text", ["/buy", "/buy@ZynBot", "/executed_orders", "hello /buy"])
def test_a_slash_command_is_named_without_the_bot(text: str) -> None:
    token = tokens(text)[-1]
    assert token.kind is Kind.SLASH
    assert "@" not in token.text
    assert "/" not in token.text


@pytest.mark.parametrize("text", ["stop-loss", "take-profit", "s/l", "t/p", "b/e", "don't", "p&l"])
def test_a_word_with_a_mark_inside_is_one_word(text: str) -> None:
    assert [(token.kind, token.text) for token in tokens(text)] == [(Kind.WORD, text)]


@pytest.mark.parametrize("text", ["sl1%", "SL 1%", "sl:1%", "sl=1%", "sl-1%", "SL -1%"])
def test_a_label_does_not_swallow_the_value_behind_it(text: str) -> None:
    found = tokens(text)
    assert found[0].text == "sl"
    assert (found[-1].kind, found[-1].value) == (Kind.PERCENT, Decimal(1))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("don’t", "don't"),
        ("don‘t", "don't"),
        ("“buy”", '"buy"'),
        ("1–2", "1-2"),
        ("−1%", "-1%"),
        ("１．５％", "1.5%"),
        ("2×ATR", "2xATR"),
        ("a\u200bb", "a b"),
        ("\ufeffbuy", "buy"),
        ("buy\u00a0it", "buy it"),
    ],
)
def test_what_a_phone_writes_is_brought_to_one_form(typed: str, read: str) -> None:
    assert normalise(typed) == read


@pytest.mark.parametrize(("text", "joined"), [("10²", "102"), ("0.1³", "0.13"), ("5₂", "52"), ("2⁴", "24")])
def test_a_raised_or_lowered_digit_adds_no_place_to_a_number(text: str, joined: str) -> None:
    assert Decimal(joined) not in [token.value for token in tokens(text)]


def test_a_coin_with_a_currency_beside_it_is_a_pair() -> None:
    assert [(token.symbol, token.is_pair) for token in tokens("eth usd")] == [("ETH/USD", True)]
    assert [(token.symbol, token.is_pair) for token in tokens("eth")] == [("ETH", False)]
