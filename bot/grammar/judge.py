"""PURE. Words that decide for the whole sentence: whatever else it says, it is not an order."""

import re
from collections.abc import Sequence

from bot.grammar import words
from bot.grammar.lexer import Kind, Token
from bot.grammar.vocabulary import split
from core.domain.errors import Code

_WHY = {
    Code.QUESTION: "that is a question, so nothing was done; say it as an order to trade",
    Code.REPORTED: "that tells of something said or done, so nothing was done; say it as an order to trade",
    Code.NEGATED: "that says what not to do, so nothing was done",
    Code.CONDITIONAL: "that depends on something, and Zyn takes no conditions; use a limit price, or say it in time",
    Code.DEFERRED: "that is for later, and Zyn takes no timed orders; say it when it is time",
}


def why(code: Code) -> str:
    """The sentence that explains a verdict of `judge`."""
    return _WHY[code]


def judge(tokens: Sequence[Token]) -> Code | None:
    """QUESTION, REPORTED, NEGATED, CONDITIONAL or DEFERRED, when a word of the sentence says so; else None."""
    spoken = _without_courtesy(tokens)
    texts = [token.text for token in spoken if token.kind is not Kind.SYMBOL]
    verdicts = (
        (Code.QUESTION, _asks(spoken) or _has(texts, words.ASKING_PHRASES)),
        (Code.REPORTED, '"' in texts or _any(texts, words.SPEECH)),
        (Code.NEGATED, _any(texts, words.NEGATIONS) or _has(texts, words.NEGATION_PHRASES)),
        (Code.CONDITIONAL, _any(texts, words.CONDITIONS) or _has(texts, words.CONDITION_PHRASES) or _supposes(spoken)),
        (Code.DEFERRED, _any(texts, words.DEFERRALS) or _has(texts, words.DEFERRAL_PHRASES) or _names_a_time(spoken)),
        (Code.REPORTED, _any(texts, words.PAST)),
    )
    return next((code for code, holds in verdicts if holds), None)


def _any(texts: Sequence[str], group: frozenset[str]) -> bool:
    return any(text in group for text in texts)


_COURTESIES: dict[str, list[tuple[str, ...]]] = {}
for _phrase in sorted((split(text) for text in words.COURTESY if " " in text), key=len, reverse=True):
    _COURTESIES.setdefault(_phrase[0], []).append(_phrase)


def _without_courtesy(tokens: Sequence[Token]) -> list[Token]:
    """Courtesy phrases hold words ("I would like to", "good morning") that mean something else alone."""
    kept, index = [], 0
    while index < len(tokens):
        phrase = _courtesy_at(tokens, index)
        if not phrase:
            kept.append(tokens[index])
        index += len(phrase) or 1
    return kept


def _courtesy_at(tokens: Sequence[Token], index: int) -> tuple[str, ...]:
    for phrase in _COURTESIES.get(tokens[index].text, ()):
        if tuple(token.text for token in tokens[index : index + len(phrase)]) == phrase:
            return phrase
    return ()


def _asks(tokens: Sequence[Token]) -> bool:
    if any(token.text == "?" for token in tokens):
        return True
    first = next((token for token in tokens if token.kind is Kind.WORD and token.text not in _SKIPPED), None)
    if first is None or first.text not in words.INTERROGATIVES:
        return False
    after = tokens[tokens.index(first) + 1 :]
    if first.text in {"do", "does"} and after and after[0].text in {"not", "it", "a", "this"}:
        return False
    # "Should ETH drop, buy" supposes; "should I buy" asks.
    return not (first.text in {"should", "were", "had"} and bool(after) and after[0].kind is Kind.SYMBOL)


_SKIPPED = frozenset(words.COURTESY) | {"and", "so", "well", "then", "paper", "live", "but", "or", ",", "zyn"}


def _supposes(tokens: Sequence[Token]) -> bool:
    texts = [token.text for token in tokens]
    return any(
        text in {"should", "were"} and index + 1 < len(tokens) and tokens[index + 1].kind is Kind.SYMBOL
        for index, text in enumerate(texts)
    )


_SHORT_TIME = re.compile(r"\d+\s?(?:s|sec|m|min|h|hr|d|w)")


def _names_a_time(tokens: Sequence[Token]) -> bool:
    """A clock time, or "in 5 minutes"."""
    for index, token in enumerate(tokens):
        if token.kind is Kind.TIME:
            return True
        if token.text in {"in", "within", "for", "every"} and index + 1 < len(tokens):
            amount = tokens[index + 1]
            if _SHORT_TIME.fullmatch(amount.text):
                return True
            unit = tokens[index + 2].text if index + 2 < len(tokens) else ""
            if amount.kind is Kind.DAYS or (amount.kind is Kind.NUMBER and unit in words.TIME_UNITS):
                return True
            if amount.text in {"a", "an", "one", "two", "few"} and unit in words.TIME_UNITS:
                return True
    return False


def _has(texts: Sequence[str], phrases: Sequence[str]) -> bool:
    sentence = " " + " ".join(texts) + " "
    return any(f" {phrase} " in sentence for phrase in phrases)
