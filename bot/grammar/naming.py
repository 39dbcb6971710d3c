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
_HARMLESS = frozenset(
    """i i'm i'd we us our ours my me you your it this that some any few here there jimmy friend friends pal dude
    boss chief folks man guys team want wants like likes love loves need needs got go going do does make take give
    put let lets feel feels feeling think thinking guess reckon fancy fancies ready time tonight good great nice
    fine sweet cool lovely happy well so oh ah um hmm yeah yep sure really very quite little bit small tiny nicely
    thing things sort sorts kind kinds way ways stuff pocket pockets bag bags fun more another also too then plus
    a an in as be have about around roughly exactly""".split()
)
"""Words that change nothing about an order whatever stands beside them. Any other word that the order's own vocabulary
does not know leaves a doubt, and a doubt is a question to the owner."""


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
    before = [token for token in tokens[:start] if not _is_nothing(token)]
    if any(token.text not in words.MODES for token in before):
        return None
    known = {word for rows in vocabulary(name).phrases.values() for phrase, _ in rows for word in phrase}
    kept = [token for token in tokens[start:] if token.text in known or not _is_nothing(token)]
    found = fill(_trimmed([*before, *kept], known), vocabulary(name), book)
    return found if isinstance(found, Filled) else None


def _call_at(tokens: Sequence[Token], name: str) -> int | None:
    """Where the first word stands that calls this command."""
    for place, token in enumerate(tokens):
        if any(one == name for _, one in call_index().get(token.text, ())):
            return place
    return None


def _is_nothing(token: Token) -> bool:
    return token.kind is Kind.PUNCTUATION or (
        token.kind is Kind.WORD
        and (token.text in _HARMLESS or token.text in words.GLUE or token.text in words.COURTESY)
    )


def _trimmed(tokens: list[Token], known: set[str]) -> list[Token]:
    """Without small words at the end, where they would dangle once what they went with is gone."""
    while tokens and _is_nothing(tokens[-1]) and (tokens[-1].text in words.GLUE or tokens[-1].text not in known):
        tokens.pop()
    return tokens


def _fields(command: Command) -> dict[str, Any]:
    """The fields by value; 0.040 is 0.04."""
    return {name: getattr(command, name) for name in type(command).model_fields}
