"""The grammar over the built-in instruments, and a short way to write what a sentence must mean.

An expectation is one line: the command, for an order its symbol and amount, then `key=value`, then a mode if named:

    "buy ZEC/USD 0.04 sl=1% tp=2% PAPER"      "protect symbol=ETH/USD sl=0%"      "open symbol=none"

Amounts: 0.04 (base), $50 (quote, whatever the currency), 10% and risk:1%. Levels: 1%, 500 (a price), 2atr, 3r.
"""

from typing import Any

from bot.grammar.lexer import Token, lex
from bot.grammar.parse import Grammar, NotParsed, Parsed
from bot.grammar.symbols import SymbolBook
from bot.grammar.vocabulary import reserved_words
from core.commands.base import Danger
from core.market.builtin import builtin_instruments

GRAMMAR = Grammar(builtin_instruments())
BOOK = SymbolBook(
    builtin_instruments(),
    "USD",
    reserved_words(),
    {one.venue_name.upper(): symbol for symbol, one in builtin_instruments().items() if one.venue_name},
)
ORDERS = frozenset({"buy", "sell", "bracket"})
LOOKS = {"autopilot": "status", "risk": "show", "watchlist": "show"}
"""Commands that can change the house, and the action with which they only look."""
_LEVELS = {"sl": "stop_loss", "tp": "take_profit"}

Json = dict[str, Any]


def parsed(text: str) -> Json:
    """The public answer to `text`."""
    return GRAMMAR.parse(text).as_json()


def code_of(text: str) -> str:
    """The refusal's code; "" when `text` is a command."""
    answer = GRAMMAR.parse(text)
    return answer.code.value if isinstance(answer, NotParsed) else ""


def does(text: str) -> str:
    """The command that `text` would carry out, if it trades or changes something; "" when it is harmless."""
    answer = GRAMMAR.parse(text)
    if not isinstance(answer, Parsed) or answer.command.declaration.danger is Danger.QUERY:
        return ""
    name = answer.command.declaration.name
    looks = name in LOOKS and answer.command.arguments()["action"] == LOOKS[name]
    return "" if looks else f"{name} {answer.as_json()['arguments']}"


def tokens(text: str) -> list[Token]:
    """The tokens of `text` over the built-in instruments."""
    return lex(text, BOOK)


def meaning(line: str) -> Json:
    """The answer that `line` describes."""
    name, *words = line.split()
    mode = words.pop() if words and words[-1] in {"PAPER", "LIVE"} else None
    arguments: Json = _order(words) if name in ORDERS else {}
    for word in words:
        key, _, value = word.partition("=")
        arguments[_LEVELS.get(key, key)] = _level(value) if key in _LEVELS else _plain(key, value)
    if name == "protect":
        arguments = {"stop_loss": None, "take_profit": None, **arguments}
    return {"ok": True, "command": name, "mode": mode, "arguments": arguments}


def _order(words: list[str]) -> Json:
    symbol, amount = words.pop(0), words.pop(0)
    limit = next((word for word in words if word.startswith("limit=")), None)
    if limit is not None:
        words.remove(limit)
    return {
        "symbol": symbol,
        "amount": _amount(amount),
        "order_type": "limit" if limit else "market",
        "limit_price": limit.removeprefix("limit=") if limit else None,
        "stop_loss": None,
        "take_profit": None,
    }


def _amount(text: str) -> Json:
    if text.startswith("risk:"):
        return {"value": text.removeprefix("risk:").rstrip("%"), "unit": "risk_percent"}
    if text.endswith("%"):
        return {"value": text.rstrip("%"), "unit": "percent"}
    return {"value": text.lstrip("$"), "unit": "quote" if text.startswith("$") else "base"}


def _level(text: str) -> Json | None:
    for suffix, unit in (("%", "percent"), ("atr", "atr"), ("r", "r"), ("", "price")):
        if text.endswith(suffix):
            return {"value": text.removesuffix(suffix), "unit": unit}
    return None


def _plain(key: str, value: str) -> str | int | None:
    if value == "none":
        return None
    return int(value) if key == "days" else value
