"""PURE. A message as typed tokens. No token knows of any command."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.grammar import words
from bot.grammar.symbols import SymbolBook
from core.domain.money import plain


class Kind(StrEnum):
    """What a token is, as far as it can be told without knowing the command."""

    WORD = "word"
    SLASH = "slash"
    NUMBER = "number"
    PERCENT = "percent"
    MONEY = "money"
    ATR = "atr"
    R = "r"
    DAYS = "days"
    SYMBOL = "symbol"
    CURRENCY = "currency"
    ID = "id"
    TIME = "time"
    BAD_NUMBER = "bad_number"
    PUNCTUATION = "punctuation"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is lower case, `raw` as typed. `value` is set for numbers of all kinds, `symbol` for symbols (pair, or
    coin alone when `is_pair` is False), `currency` for money. `signed` keeps an explicit + or - of a number.
    """

    kind: Kind
    text: str
    raw: str
    value: Decimal | None = None
    symbol: str = ""
    is_pair: bool = False
    currency: str = ""
    signed: str = ""


_MASTER = re.compile(
    r"""
    (?P<slash>(?:^|(?<=\s))/[a-z_]+(?:@\w+)?)
  | (?P<time>\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?\b|\b\d{1,2}\s?[ap]\.?m\b)
  | (?P<glued>\b(?:sl|tp|stop|target|limit)(?=[-+]?[$€]?\d))
  | (?P<pair>\$?[a-z0-9]{1,10}[/_:-][a-z]{3,5}\b)
  | (?P<id>\b(?=[a-z0-9-]*[0-9])[a-z][a-z0-9]*(?:-[a-z0-9]+)+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b
      |\b[a-z0-9]{6}-[a-z0-9]{5}-[a-z0-9]{6}\b)
  | (?P<number>(?P<sign>[$€]\s?|(?:(?<![\w.])|(?<=\bsl)|(?<=\btp)|(?<=\bstop)|(?<=\btarget))[+-]\s?[$€]?)?
      (?P<digits>\d+(?:,\d+)*(?:\.\d+)?(?:[.,]\d+)*|\.\d+)(?P<suffix>[a-z%]+|[$€])?)
  | (?P<dollar>\$[a-z][a-z0-9]{0,9})
  | (?P<word>[a-z][a-z0-9_]*(?:['/&-][a-z]+)*)
  | (?P<mark>\S)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PLAIN = re.compile(r"(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?$|\.\d+$")
_THOUSANDS: Mapping[str, int] = {"k": 1_000, "grand": 1_000, "m": 1_000_000, "mm": 1_000_000}
MAX_DIGITS = 30


def normalise(text: str) -> str:
    """One form for the many ways in which phones write quotes, dashes and spaces."""
    text = unicodedata.normalize("NFC", text).translate(_LOOKALIKES)
    return "".join(" " if unicodedata.category(char) == "Cf" else char for char in text).strip()


_LOOKALIKES = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "×": "x", "\u00a0": " "}
    | {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
)


def lex(text: str, book: SymbolBook) -> list[Token]:
    """All tokens of `text`, values joined with their units ("50 usd", "2 x atr", "1 percent")."""
    return list(_join(list(_raw(normalise(text), book)), book))


def _raw(text: str, book: SymbolBook) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _MASTER.search(text, position)
        if match is None:
            return
        position = match.end()
        kind, raw = match.lastgroup or "mark", match.group()
        if kind == "pair" and book.pair(raw) is None:
            # "stop-loss", "s/l", "and:buy": not a pair after all, so a word up to its mark, and on from there.
            again = _NO_PAIR.match(text, match.start())
            if again is not None:
                match, raw, kind, position = again, again.group(), again.lastgroup or "mark", again.end()
        yield from _of(kind, raw, match, book)


_NO_PAIR = re.compile(
    r"(?P<id>(?=[a-z0-9-]*[0-9])[a-z][a-z0-9]*(?:-[a-z0-9]+)+\b|[a-z0-9]{6}-[a-z0-9]{5}-[a-z0-9]{6}\b)"
    r"|(?P<number>(?P<sign>[$€]\s?)?(?P<digits>\d+(?:,\d+)*(?:\.\d+)?)(?P<suffix>[a-z%]+|[$€])?)"
    r"|(?P<dollar>\$[a-z][a-z0-9]{0,9})"
    r"|(?P<word>[a-z][a-z0-9_]*?(?:['/&-][a-z]+)*(?![a-z0-9_]))|(?P<mark>\S)",
    re.IGNORECASE | re.ASCII,
)


def _of(kind: str, raw: str, match: re.Match[str], book: SymbolBook) -> Iterator[Token]:
    text = raw.lower()
    if kind == "slash":
        yield Token(Kind.SLASH, text[1:].partition("@")[0], raw)
    elif kind == "time":
        yield Token(Kind.TIME, text, raw)
    elif kind == "pair":
        yield Token(Kind.SYMBOL, text, raw, symbol=book.pair(raw) or "", is_pair=True)
    elif kind == "id":
        yield Token(Kind.ID, text, raw)
    elif kind in {"number", "suffix", "sign", "digits"}:
        yield from _number(match, raw, book)
    elif kind == "dollar":
        coin = book.coin(raw[1:], marked=True)
        yield Token(Kind.SYMBOL, text, raw, symbol=coin) if coin else Token(Kind.WORD, text, raw)
    elif kind in {"word", "glued"}:
        yield _word(raw, text, book)
    else:
        yield Token(Kind.PUNCTUATION, text, raw)


def _word(raw: str, text: str, book: SymbolBook) -> Token:
    if text in words.CURRENCIES:
        return Token(Kind.CURRENCY, text, raw, currency=words.CURRENCIES[text])
    pair = book.pair(raw)
    if pair is not None:
        return Token(Kind.SYMBOL, text, raw, symbol=pair, is_pair=True)
    coin = book.coin(raw, marked=False)
    return Token(Kind.SYMBOL, text, raw, symbol=coin) if coin else Token(Kind.WORD, text, raw)


def _number(match: re.Match[str], raw: str, book: SymbolBook) -> Iterator[Token]:
    sign = (match.group("sign") or "").strip()
    digits, suffix = match.group("digits"), (match.group("suffix") or "").lower()
    if not _PLAIN.match(digits) or len(digits) > MAX_DIGITS:
        yield Token(Kind.BAD_NUMBER, raw.lower(), raw)
        return
    value = Decimal(digits.replace(",", ""))
    currency = words.SIGNS.get(sign.lstrip("+- "), "")
    signed = sign[0] if sign[:1] in {"+", "-"} else ""
    if suffix in words.SIGNS:
        currency, suffix = words.SIGNS[suffix], ""
    if suffix in _THOUSANDS:
        value, suffix = Decimal(plain(value * _THOUSANDS[suffix])), ""
    kind, rest = Kind.MONEY if currency else Kind.NUMBER, ""
    if suffix in {"%", "pct", "percent"}:
        kind = Kind.PERCENT
    elif suffix in {"x", "atr", "r", "d", "days"} or suffix.startswith(("xatr", "atr")):
        kind = {"r": Kind.R, "d": Kind.DAYS, "days": Kind.DAYS, "x": kind}.get(suffix, Kind.ATR)
        rest = suffix if suffix == "x" else ""
    else:
        rest = suffix
    yield Token(kind, raw.lower(), raw, value=value, currency=currency, signed=signed)
    if rest:
        yield Token(Kind.PUNCTUATION, rest, rest) if rest == "x" else _word(rest, rest, book)


def _join(tokens: list[Token], book: SymbolBook) -> Iterator[Token]:
    """Numbers with the unit beside them, coins with the quote beside them."""
    index = 0
    while index < len(tokens):
        token, used = _joined(tokens, index, book)
        yield token
        index += used


def _joined(tokens: list[Token], index: int, book: SymbolBook) -> tuple[Token, int]:
    token = tokens[index]
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if after is None:
        return token, 1
    both = f"{token.text} {after.text}"
    if token.kind is Kind.NUMBER:
        return _with_unit(token, after, tokens[index + 2] if index + 2 < len(tokens) else None, both)
    if token.kind is Kind.MONEY and after.kind is Kind.CURRENCY and after.currency == token.currency:
        return _as(token, Kind.MONEY, both, token.currency), 2
    if token.kind is Kind.CURRENCY and after.kind is Kind.NUMBER:
        return _as(after, Kind.MONEY, both, token.currency), 2
    third = tokens[index + 2] if index + 2 < len(tokens) else None
    # In "SOL USD 50" the currency belongs to the number.
    counts = third is not None and third.kind is Kind.NUMBER
    if token.kind is Kind.SYMBOL and not token.is_pair and after.kind is Kind.CURRENCY and not counts:
        pair = book.pair(f"{token.symbol}/{after.currency}")
        if pair is not None:
            return Token(Kind.SYMBOL, both, both, symbol=pair, is_pair=True), 2
    return token, 1


_UNITS = {
    **dict.fromkeys(words.PERCENT_WORDS, Kind.PERCENT),
    **dict.fromkeys(("atr", "atrs"), Kind.ATR),
    **dict.fromkeys(("r", "rs"), Kind.R),
    **dict.fromkeys(("day", "days"), Kind.DAYS),
}


def _with_unit(token: Token, after: Token, third: Token | None, both: str) -> tuple[Token, int]:
    """A number with what follows it: "50 usd", "1 percent", "2 x atr", "1.5 k"."""
    if after.kind is Kind.CURRENCY:
        return _as(token, Kind.MONEY, both, after.currency), 2
    if after.text in _UNITS:
        return _as(token, _UNITS[after.text], both), 2
    if after.text == "per" and third is not None and third.text == "cent":
        return _as(token, Kind.PERCENT, f"{both} {third.text}"), 3
    if after.text in {"x", "*", "times"} and third is not None and _UNITS.get(third.text) is Kind.ATR:
        return _as(token, Kind.ATR, f"{both} {third.text}"), 3
    if after.text in _THOUSANDS:
        value = Decimal(plain((token.value or Decimal(0)) * _THOUSANDS[after.text]))
        return Token(Kind.NUMBER, both, both, value=value), 2
    return token, 1


def _as(token: Token, kind: Kind, text: str, currency: str = "") -> Token:
    return Token(kind, text, text, value=token.value, currency=currency or token.currency, signed=token.signed)
