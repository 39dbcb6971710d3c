"""PURE. The tokens of a sentence as one command would read them: each with every role that it could play."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.grammar.lexer import Kind, Token
from bot.grammar.vocabulary import Meanings, Vocabulary

_SMALL = frozenset({"glue", "noun", "courtesy", "direction", "plural"})
VALUES = frozenset({Kind.NUMBER, Kind.PERCENT, Kind.MONEY, Kind.ATR, Kind.R, Kind.DAYS})


@dataclass(frozen=True, slots=True)
class Word:
    """One or more tokens that the vocabulary knows as a phrase, or one token that it does not."""

    token: Token
    text: str
    meanings: Meanings = field(default_factory=dict)
    phrase_length: int = 1

    def means(self, kind: str) -> str | None:
        """What it means as this kind of word ("label", "part" …), None if it is no such word."""
        return self.meanings.get(kind)

    @property
    def is_value(self) -> bool:
        """True for numbers of all kinds, and for "break even" in a command that takes it."""
        return (self.token.kind in VALUES and not self.meanings) or "break_even" in self.meanings

    @property
    def is_separator(self) -> bool:
        """True for marks that end a clause."""
        return self.text in {",", ".", ";", "!", "and", "&", "+"}

    @property
    def is_filler(self) -> bool:
        """True for what may stand between a label and its value."""
        return not self.meanings.keys().isdisjoint(_SMALL)

    @property
    def value(self) -> Decimal:
        """The number; "break even" is zero."""
        return self.token.value if self.token.value is not None else Decimal(0)


def read(tokens: Sequence[Token], vocabulary: Vocabulary) -> list[Word]:
    """Longest phrase first, left to right. Symbols and values are themselves unless a longer phrase holds them."""
    found: list[Word] = []
    index = 0
    while index < len(tokens):
        word = _phrase_at(tokens, index, vocabulary)
        found.append(word)
        index += word.phrase_length
    return found


def _phrase_at(tokens: Sequence[Token], index: int, vocabulary: Vocabulary) -> Word:
    token = tokens[index]
    for phrase, meanings in vocabulary.phrases.get(token.text.split(" ")[0], ()):
        count, text = 0, ""
        for following in tokens[index : index + len(phrase)]:
            text = f"{text} {following.text}".strip()
            count += 1
            if text.count(" ") + 1 >= len(phrase):
                break
        if text == " ".join(phrase) and not (token.kind is Kind.SYMBOL and len(phrase) == 1):
            return Word(token, text, meanings, count)
    return Word(token, token.text)
