"""PURE. Whether a sentence names the same order as a command that a model made of it: side, amount, symbol, levels."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bot.grammar.lexer import Kind, Token, lex
from bot.grammar.symbols import SymbolBook
from core.commands.base import Amount, Command, LevelArgument, registry
from core.domain.brackets import LevelUnit
from core.domain.modes import Mode
from core.risk.sizing import AmountUnit

Value = tuple[str, Decimal]

_SIDES: Mapping[str, str] = {"buy": "buy", "bracket": "buy", "sell": "sell"}
_NUMBERS = frozenset({Kind.NUMBER, Kind.MONEY, Kind.PERCENT, Kind.ATR, Kind.R, Kind.BAD_NUMBER})
_PLAIN = "plain"
_AMOUNT_KINDS = {
    AmountUnit.BASE: _PLAIN,
    AmountUnit.QUOTE: Kind.MONEY.value,
    AmountUnit.PERCENT: Kind.PERCENT.value,
    AmountUnit.RISK_PERCENT: Kind.PERCENT.value,
}
_LEVEL_KINDS = {
    LevelUnit.PERCENT: Kind.PERCENT.value,
    LevelUnit.PRICE: _PLAIN,
    LevelUnit.ATR: Kind.ATR.value,
    LevelUnit.R: Kind.R.value,
}


def names_order(text: str, command: Command, mode: Mode | None, book: SymbolBook) -> bool:
    """True when `text` holds one side, one symbol and exactly the numbers of `command`, and the mode if it names one.

    Only buys and sells can be named like this; everything else is False, and so is any doubt.
    """
    side = _SIDES.get(command.declaration.name)
    fields = {name: getattr(command, name) for name in type(command).model_fields}
    if side is None:
        return False
    tokens = lex(text, book)
    spoken = {word for token in tokens for word in token.text.split(" ")}
    if mode is not None and mode.value.lower() not in spoken:
        return False
    if _sides(tokens) != {side} or not _same_symbol(tokens, str(fields["symbol"]), book):
        return False
    return _said(tokens) == _meant(fields)


def _sides(tokens: Iterable[Token]) -> set[str]:
    """The sides that single words of the sentence call."""
    texts = {token.text for token in tokens}
    sides = dict(_SIDES) | {"close": "sell", "flatten": "sell"}
    return {
        side
        for name, side in sides.items()
        if any(call in texts for call in (name, *registry()[name].command.declaration.calls))
    }


def _same_symbol(tokens: Iterable[Token], symbol: str, book: SymbolBook) -> bool:
    named = [token for token in tokens if token.kind is Kind.SYMBOL]
    return bool(named) and all(
        (token.symbol if token.is_pair else book.choose(token.symbol, "")) == symbol for token in named
    )


def _said(tokens: Iterable[Token]) -> Counter[Value]:
    """Every number of the sentence, with what kind of number it is."""
    return Counter(
        (_PLAIN if token.kind is Kind.NUMBER else token.kind.value, token.value or Decimal(0))
        for token in tokens
        if token.kind in _NUMBERS
    )


def _meant(fields: Mapping[str, object]) -> Counter[Value]:
    found: list[Value] = []
    for value in fields.values():
        if isinstance(value, Amount):
            found.append((_AMOUNT_KINDS[value.unit], value.value))
        elif isinstance(value, LevelArgument):
            found.append((_LEVEL_KINDS[value.unit], value.value))
        elif isinstance(value, Decimal):
            found.append((_PLAIN, value))
    return Counter(found)
