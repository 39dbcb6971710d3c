"""Noise never crashes the grammar and never becomes a trade; no number of an order is lost or used twice."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from bot.grammar import words
from bot.grammar.lexer import normalise
from bot.grammar.parse import MAX_LENGTH, NotParsed, Parsed
from bot.grammar.vocabulary import vocabulary
from core.commands.base import registry
from core.domain.errors import Code
from core.market.builtin import COIN_NAMES, builtin_instruments
from tests.bot.grammar.support import BOOK, GRAMMAR, does, meaning, parsed

DEFAULT_DAYS = 30
MANY = settings(max_examples=1500, suppress_health_check=list(HealthCheck))
"""Derandomized by the profile of tests/conftest.py: the same examples in every run."""


NUMBERS = ("0.013", "3", "17", "41", "2900", "3300.5", "88000", "1,234", "0.77", "19")
"""None of them is one that a word can mean (half is 50 or 0.5), nor one that a phrase of the grammar holds."""
DRESSES = (
    "{}",
    "{}",
    "{}",
    "${}",
    "{}%",
    "{} USD",
    "{} ATR",
    "{}R",
    "{}x",
    "€{}",
    "+{}%",
    "-{}",
    "{} days",
    "@ {}",
    "{},",
)
WORD_VALUES = frozenset(Decimal(text) for text in (*words.PARTS.values(), *words.FRACTIONS.values(), "0"))
PHRASES = tuple(
    sorted(
        " ".join(phrase)
        for phrase in {
            phrase for name in registry() for rows in vocabulary(name).phrases.values() for phrase, _ in rows
        }
        if not any(char.isdigit() for word in phrase for char in word)
    )
)
SYMBOLS = (*builtin_instruments(), *COIN_NAMES, "$NOT", "not", "open", "me", "XBT")
ORDERS = (
    "buy 0.1 ETH",
    "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute.",
    "/buy ETH 0.1 sl=1% tp=2%",
    "long eth risk 1% stop 2 ATR target 3R",
    "sell half my ETH at 3300",
    "close all positions",
    "cancel all orders",
    "flatten everything",
    "move the stop of ETH to break even",
)


def answer(text: str) -> dict[str, Any]:
    """The public answer, which is always one of two shapes and always JSON."""
    found = GRAMMAR.parse(text)
    assert isinstance(found, Parsed | NotParsed)
    shown = found.as_json()
    assert json.loads(json.dumps(shown)) == shown
    if not shown["ok"]:
        assert Code(shown["error"]["code"])
    return shown


@MANY
@given(st.text(max_size=MAX_LENGTH + 20))
@example("\x00")
@example("\ud800")
@example("٣ ² ½ Ⅷ 一")
@example("/" * MAX_LENGTH)
@example("9" * MAX_LENGTH)
@example("buy " + "-" * 400)
@example("1," * 200)
def test_any_text_is_answered_and_acts_only_where_a_command_is_called(text: str) -> None:
    shown = answer(text)
    if does(text):
        plain = normalise(text).lower().replace("_", " ")
        calls = registry()[shown["command"]].command.declaration.calls
        assert any(call.replace("_", " ") in plain for call in calls) or shown["command"] == "protect"


@MANY
@given(st.text(alphabet="buysel ETHX/$%.,0123@?'-+\n", max_size=60))
def test_text_of_the_letters_of_orders_never_crashes(text: str) -> None:
    answer(text)


def dressed(numbers: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(numbers, st.sampled_from(DRESSES)).map(lambda pair: pair[1].format(pair[0]))


COMMON = (
    "buy",
    "sell",
    "close",
    "stop",
    "target",
    "limit",
    "at",
    "paper",
    "of",
    "my",
    "for",
    "with",
    "SL",
    "TP",
    "risk",
    ",",
    ".",
    "/buy",
)
SOUP = st.lists(
    st.one_of(
        st.sampled_from(COMMON), st.sampled_from(PHRASES), st.sampled_from(SYMBOLS), dressed(st.sampled_from(NUMBERS))
    ),
    min_size=1,
    max_size=9,
).map(" ".join)
CALLS = ("buy", "/buy", "long", "get me", "go long", "I'd like to buy")
AMOUNTS = {"0.013": "0.013", "3%": "3%", "$41": "$41", "41 USD": "$41", "risk 3%": "risk:3%", "half my balance": "50%"}
STOPS = {"stop 2900": "sl=2900", "SL 0.77%": "sl=0.77%", "stop at 2900": "sl=2900", "": ""}
TARGETS = {"target 3300.5": "tp=3300.5", "TP 19R": "tp=19r", "TP: 3300.5": "tp=3300.5", "": ""}
LIMITS = {"@ 17": "limit=17", "limit 17": "limit=17", "at 17": "limit=17", "": ""}
ENDS = ("", ".", " please", ", thanks", " now!")


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, str]:
    """A buy of these parts, in any order behind its call, and what they mean together."""
    picked = [draw(st.sampled_from(list(group))) for group in (AMOUNTS, LIMITS, STOPS, TARGETS)]
    amount, limit, stop, target = picked
    order = draw(st.permutations([part for part in ("ETH", *picked) if part]))
    line = f"buy ETH/USD {AMOUNTS[amount]} {LIMITS[limit]} {STOPS[stop]} {TARGETS[target]}"
    return f"{draw(st.sampled_from(CALLS))} {' '.join(order)}{draw(st.sampled_from(ENDS))}", line


@MANY
@given(orders())
@example(("buy 3% target 3300.5 stop 2900 ETH", "buy ETH/USD 3% sl=2900 tp=3300.5"))
@example(("buy 2 @ 140 ETH", "buy ETH/USD 2 limit=140"))
@example(("buy $50 stop 100 ETH", "buy ETH/USD $50 sl=100"))
def test_an_order_means_its_parts_in_whatever_order_they_stand_or_it_is_refused(made: tuple[str, str]) -> None:
    text, line = made
    shown = answer(text)
    assert not shown["ok"] or shown == meaning(line), text


@MANY
@given(st.one_of(SOUP, orders().map(lambda made: made[0])))
def test_a_command_uses_every_number_of_its_text_exactly_once(text: str) -> None:
    shown = answer(text)
    if not shown["ok"]:
        return
    typed = Counter(Decimal(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?<!,)(?:\.\d+)?", text))
    used = Counter(_values(shown["arguments"]))
    assert not typed - used, f"lost from {text!r}: {shown}"
    assert set(used - typed) <= WORD_VALUES, f"invented for {text!r}: {shown}"


def _values(arguments: dict[str, Any]) -> Iterator[Decimal]:
    for key, value in arguments.items():
        if isinstance(value, dict):
            yield Decimal(value["value"])
        elif key in {"limit_price", "days"} and value not in {None, DEFAULT_DAYS}:
            yield Decimal(value)


@MANY
@given(SOUP)
def test_a_command_of_word_soup_names_only_instruments_that_exist(text: str) -> None:
    shown = answer(text)
    if shown["ok"]:
        symbol = shown["arguments"].get("symbol")
        assert symbol in {None, "all", *builtin_instruments()}


@MANY
@given(st.lists(st.sampled_from(sorted(words.GLUE | set(words.COURTESY) | words.NOUNS_OF_MONEY)), max_size=12))
def test_small_words_alone_never_trade(parts: list[str]) -> None:
    assert does(" ".join(parts)) == ""
    assert does(" ".join((*parts, "0.1 ETH"))) == ""


NEGATIONS = (
    "not",
    "no",
    "never",
    "don't",
    "dont",
    "don’t",
    "do not",
    "without",
    "nope",
    "cannot",
    "can't",
    "won't",
    "shouldn't",
    "nah",
    "avoid",
)
CONDITIONS = (
    "if",
    "when",
    "whenever",
    "once",
    "unless",
    "until",
    "maybe",
    "perhaps",
    "might",
    "could",
    "would",
    "in case",
    "as soon as",
    "after",
)
DEFERRALS = (
    "tomorrow",
    "tonight",
    "later",
    "soon",
    "next week",
    "on monday",
    "at 5pm",
    "at 17:00",
    "in 5 minutes",
    "every day",
    "will",
    "I'll",
)
REPORTS = (
    "he said",
    "they",
    "my friend says",
    "bought",
    "sold",
    "yesterday",
    "was",
    "ago",
    "reported",
    "told me",
    '"',
    "news",
    "according to Bob",
)
QUESTIONS = (
    "?",
    "should i",
    "is it",
    "can you",
    "could you",
    "would you",
    "what if",
    "how much",
    "why",
    "who",
    "which",
    "did you",
    "shall we",
    "where",
)
WORDS = {
    "negation": NEGATIONS,
    "condition": CONDITIONS,
    "deferral": DEFERRALS,
    "report": REPORTS,
    "question": QUESTIONS,
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_orders_of_these_tests_are_orders(order: str) -> None:
    assert does(order) != ""


@pytest.mark.parametrize("kind", sorted(WORDS))
@pytest.mark.parametrize("order", ORDERS)
def test_a_deciding_word_put_anywhere_into_an_order_takes_the_order_away(order: str, kind: str) -> None:
    wrong = [text for word in WORDS[kind] for text in _with(word, order) if does(text)]
    assert wrong == []


def _with(word: str, order: str) -> Iterator[str]:
    """`order` with `word` in front, behind, and between any two of its words."""
    parts = order.split()
    for place in range(len(parts) + 1):
        yield " ".join((*parts[:place], word, *parts[place:]))


@MANY
@given(
    st.sampled_from(ORDERS),
    st.integers(0, 12),
    st.text(alphabet=st.characters(categories=["L"]), min_size=3, max_size=12),
)
def test_an_unknown_word_takes_the_order_away(order: str, place: int, word: str) -> None:
    parts = order.split()
    place = min(place, len(parts))
    known = {text for phrase in PHRASES for text in phrase.split()} | words.CURRENCIES.keys()
    assume(word.lower() not in known and BOOK.pair(word) is None and BOOK.coin(word, marked=False) is None)
    assert does(" ".join((*parts[:place], word, *parts[place:]))) == ""


def test_two_orders_side_by_side_are_never_one() -> None:
    both = [
        f"{one}{mark}{other}" for one in ORDERS for other in ORDERS for mark in (" ", ". ", " and ", "\n", ", then ")
    ]
    assert [text for text in both if does(text)] == []


def test_an_order_means_the_same_with_any_end_mark() -> None:
    for order in ORDERS:
        for mark in (".", "!", "!!", " .", "\n"):
            assert parsed(order + mark) == parsed(order)
