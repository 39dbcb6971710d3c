"""The judge: words that decide for the whole sentence, before any command reads it."""

import pytest

from bot.grammar import words
from bot.grammar.judge import judge, why
from core.domain.errors import Code
from tests.bot.grammar.support import tokens

VERDICTS: dict[Code, tuple[str, ...]] = {
    Code.QUESTION: (
        "should I buy", "is it time", "buy it?", "what now", "zyn, can you", "so would you", "ok do I sell",
        "how much", "are we", "and is it ok", "paper should I", "well, did you",
    ),
    Code.REPORTED: (
        "he said buy", "they sell", "bought it", "we sold it", '"buy"', "sell yesterday", "my friend sells",
        "my wife says so", "buy two hours ago", "according to Bob",
    ),
    Code.NEGATED: (
        "don't buy", "do not buy", "never sell", "no sell", "buy not", "without a stop", "hold off", "stop buying",
    ),
    Code.CONDITIONAL: (
        "buy if it drops", "when it rises sell", "maybe buy", "buy unless", "in case it falls", "as soon as it falls",
        "should ETH drop", "were ETH to drop", "buy after that", "before that sell",
    ),
    Code.DEFERRED: (
        "buy tomorrow", "later", "buy at 17:00", "buy at 5pm", "in 5 minutes", "in an hour", "every day", "I'll buy",
        "I will buy", "wait", "next week", "within 3 days", "in 5m", "in 2h", "in half an hour", "in a few minutes",
    ),
}  # fmt: skip
ROWS = [(text, code) for code, texts in VERDICTS.items() for text in texts]


@pytest.mark.parametrize(("text", "code"), ROWS)
def test_a_deciding_word_gives_its_verdict(text: str, code: Code) -> None:
    assert judge(tokens(text)) is code


@pytest.mark.parametrize(
    "text",
    [
        "buy 0.1 ETH",
        "please buy 0.1 ETH now",
        "I would like to buy 0.1 ETH",
        "I'd like you to buy 0.1 ETH",
        "good morning, buy 0.1 ETH",
        "good evening zyn, sell 0.1 ETH",
        "buy 0.1 ETH stop 3000 target 3500",
        "buy 50 $NOT",
        "close all positions",
        "show open orders",
        "",
    ],
)
def test_an_order_has_no_verdict(text: str) -> None:
    assert judge(tokens(text)) is None


def test_courtesy_excuses_only_its_own_words() -> None:
    assert judge(tokens("I would like to buy")) is None
    assert judge(tokens("I would buy")) is Code.CONDITIONAL
    assert judge(tokens("good morning, buy in the morning")) is Code.DEFERRED
    assert judge(tokens("I want to buy tomorrow")) is Code.DEFERRED
    assert judge(tokens("I'd like to not buy")) is Code.NEGATED


def test_a_coin_named_like_a_deciding_word_decides_nothing() -> None:
    assert judge(tokens("buy 50 $NOT")) is None
    assert judge(tokens("buy 50 NOT/USD")) is None
    assert judge(tokens("buy 50 NOT")) is Code.NEGATED


@pytest.mark.parametrize(
    "word", sorted(words.NEGATIONS | words.CONDITIONS | words.DEFERRALS | words.SPEECH | words.PAST)
)
def test_every_deciding_word_decides_in_front_of_an_order_and_behind_it(word: str) -> None:
    assert judge(tokens(f"{word} buy 0.1 ETH")) is not None
    assert judge(tokens(f"buy 0.1 ETH {word}")) is not None


@pytest.mark.parametrize("word", sorted(words.INTERROGATIVES))
def test_every_question_word_asks_in_front_of_an_order(word: str) -> None:
    assert judge(tokens(f"{word} i buy 0.1 ETH")) is not None
    assert judge(tokens(f"Zyn, {word} we buy 0.1 ETH")) is not None


def test_every_verdict_is_explained_in_a_sentence() -> None:
    for code in VERDICTS:
        assert len(why(code).split()) > 5
