"""PURE. Whether a sentence names the same order as a command that a model made of it: side, amount, symbol, levels."""

from collections.abc import Sequence
from typing import Any

from bot.grammar import words
from bot.grammar.filler import Filled, fill
from bot.grammar.judge import judge
from bot.grammar.lexer import Kind, Token, lex
from bot.grammar.symbols import SymbolBook
from bot.grammar.vocabulary import call_index, vocabulary
from core.commands.base import Command
from core.domain.modes import Mode

_BUYS = ("buy", "bracket")
_SIDES = {"buy": _BUYS, "bracket": _BUYS, "sell": ("sell",)}
_BEFORE = frozenset(
    """i we us our my pocket pockets want wants wanna like love to so well oh ah um hmm yeah yep sure let lets go do
    just friend friends pal dude chief jimmy the a an""".split()
)
"""What may stand before the verb and leave it an order of the one who speaks."""

_AFTER = frozenset(
    """us our ours pocket pockets bag bags fun sort sorts kind kinds of thing things stuff friend friends pal dude chief
    jimmy nicely so""".split()
)
"""What may stand behind it. Any other word that the order's own vocabulary does not know leaves a doubt, and so does
any other mark: a doubt is a question to the owner."""

_MARKS = frozenset(".,;:!()-")
_MOVES_TO = frozenset({"to", "till", "until", "down"})
"""Beside a sale these say what is to be left, not what is to be sold."""


def names_order(text: str, command: Command, mode: Mode, active: Mode, book: SymbolBook) -> bool:
    """True when `text`, without words that carry nothing, is exactly `command`, each value in its place.

    `mode` is the desk that the command is meant for; a text that names none means the `active` one. Only buys and sells
    can be named like this; everything else is False, and so is any doubt.
    """
    names = _SIDES.get(command.declaration.name)
    if names is None:
        return False
    tokens = lex(text, book)
    if not tokens or judge(tokens) is not None:
        return False
    found = [filled for name in names if (filled := _order_in(tokens, name, book)) is not None]
    return any(
        _fields(one.command) == _fields(command) and (Mode(one.mode) if one.mode else active) is mode for one in found
    )


def _order_in(tokens: Sequence[Token], name: str, book: SymbolBook) -> Filled | None:
    """The sentence as this command, without what carries nothing; None where any other word is left over."""
    start = _call_at(tokens, name)
    if start is None:
        return None
    before = [token for token in tokens[:start] if not _is_nothing(token, _BEFORE)]
    if any(token.text not in words.MODES for token in before):
        return None
    after = tokens[start:]
    if name == "sell" and any(token.text in _MOVES_TO for token in after):
        return None
    known = {word for rows in vocabulary(name).phrases.values() for phrase, _ in rows for word in phrase}
    kept = [token for token in after if token.text in known or not _is_nothing(token, _AFTER)]
    while kept and kept[-1].text in {"of", ",", ".", "!"}:
        kept.pop()
    found = fill([*before, *kept], vocabulary(name), book)
    return found if isinstance(found, Filled) else None


def _call_at(tokens: Sequence[Token], name: str) -> int | None:
    """Where the first word stands that calls this command."""
    for place, token in enumerate(tokens):
        if any(one == name for _, one in call_index().get(token.text, ())):
            return place
    return None


def _is_nothing(token: Token, harmless: frozenset[str]) -> bool:
    if token.kind is Kind.PUNCTUATION:
        return token.text in _MARKS
    return token.kind is Kind.WORD and (token.text in harmless or token.text in words.COURTESY)


def _fields(command: Command) -> dict[str, Any]:
    """The fields by value; 0.040 is 0.04."""
    return {name: getattr(command, name) for name in type(command).model_fields}
