"""PURE. A sentence is exactly one command, with every word accounted for, or it is none and the reason is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.grammar.filler import Filled, fill, is_about_levels
from bot.grammar.judge import judge, why
from bot.grammar.lexer import Kind, Token, lex
from bot.grammar.naming import names_order
from bot.grammar.sheet import Misfit
from bot.grammar.symbols import SymbolBook
from bot.grammar.vocabulary import Glue, call_index, knows, reserved_words, slash_names, vocabulary
from core.commands.base import Command, Danger, registry
from core.domain.errors import Code
from core.domain.instruments import Instrument
from core.domain.modes import Mode

MAX_LENGTH = 500
_IMPLIED = "protect"
"""The command that is understood when a sentence names a level and a symbol and nothing else."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One command and the mode that the sentence named, if it did."""

    command: Command
    mode: Mode | None

    def as_json(self) -> dict[str, Any]:
        """The public form of `zyn parse`."""
        return {
            "ok": True,
            "command": self.command.declaration.name,
            "mode": self.mode.value if self.mode else None,
            "arguments": self.command.arguments(),
        }


@dataclass(frozen=True, slots=True)
class NotParsed:
    """No command, and why. `message` says what would be right."""

    code: Code
    message: str

    def as_json(self) -> dict[str, Any]:
        """The public form of `zyn parse`."""
        return {"ok": False, "error": {"code": self.code.value, "message": f"[EXEC-ERR] {self.code}: {self.message}"}}


class Grammar:
    """The grammar over one set of instruments and one quote currency."""

    def __init__(self, instruments: Mapping[str, Instrument], quote: str = "USD") -> None:
        names = {one.venue_name.upper(): symbol for symbol, one in instruments.items() if one.venue_name}
        self._book = SymbolBook(instruments, quote, reserved_words(), names)

    def parse(self, text: str) -> Parsed | NotParsed:
        """The one command that `text` is. Pure: the same text gives the same answer."""
        if len(text) > MAX_LENGTH:
            return NotParsed(
                Code.NOT_A_COMMAND, f"that is {len(text)} characters long; an order fits into {MAX_LENGTH}"
            )
        tokens = lex(text, self._book)
        if not tokens:
            return NotParsed(Code.NOT_A_COMMAND, "there is nothing in it; say 'help' for what can be said")
        named, tokens, problem = _slash(tokens)
        return problem or self._of_tokens(named, tokens)

    def names(self, text: str, command: Command, mode: Mode, active: Mode) -> bool:
        """Whether `text`, which is no command itself, names exactly this order at the desk of `mode`. Pure."""
        return len(text) <= MAX_LENGTH and names_order(text, command, mode, active, self._book)

    def _of_tokens(self, named: str | None, tokens: list[Token]) -> Parsed | NotParsed:
        called = {named: named} if named else _called(tokens)
        names = list(called)
        queries = [name for name in names if registry()[name].command.declaration.danger is not Danger.TRADE]
        found = _best(self._try(tokens, queries, named))
        if isinstance(found, Parsed):
            found = self._checked(tokens, found, named)
        if isinstance(found, Parsed):
            return found
        bare = _bare(tokens)
        if bare is not None:
            return self.parse(bare)
        only_looks = all(name in queries for name in names)
        if only_looks and isinstance(found, NotParsed) and found.code is not Code.NOT_A_COMMAND:
            return found
        verdict = judge(tokens)
        if verdict is not None:
            return NotParsed(verdict, why(verdict))
        return self._order(tokens, called, named, found if isinstance(found, NotParsed) else None)

    def _checked(self, tokens: list[Token], found: Parsed, named: str | None) -> Parsed | NotParsed:
        """What changes the house must be said as an order, not asked or told; asked, it shows how things stand."""
        command = found.command
        declaration = command.declaration
        shows = all(not info.is_required() for info in type(command).model_fields.values())
        bare = type(command)() if shows and not declaration.acts else None
        if declaration.danger is not Danger.CONTROL or command == bare:
            return found
        verdict = judge(tokens)
        if verdict is Code.QUESTION and bare is not None:
            return Parsed(bare, found.mode)
        if verdict is not None:
            return NotParsed(verdict, why(verdict))
        strict = fill(tokens, vocabulary(declaration.name, Glue.CHANGE), self._book, implied=named is not None)
        if isinstance(strict, Misfit):
            return NotParsed(strict.code, strict.message)
        return found

    def _order(
        self, tokens: list[Token], called: Mapping[str, str], named: str | None, query: NotParsed | None
    ) -> Parsed | NotParsed:
        trades = [name for name in called if registry()[name].command.declaration.danger is Danger.TRADE]
        attempts = self._try(tokens, trades, named)
        found = _best(attempts)
        if isinstance(found, Parsed):
            return found
        if _IMPLIED not in called and is_about_levels(tokens):
            implied = fill(tokens, vocabulary(_IMPLIED, Glue.LEVELS), self._book, implied=True)
            if isinstance(implied, Filled):
                return _parsed(implied)
        if _are_two(called):
            return NotParsed(Code.TWO_ORDERS, "that is more than one order; say one at a time")
        return (
            found
            or query
            or NotParsed(Code.NOT_A_COMMAND, "I know no command in that; say 'help' for what can be said")
        )

    def _try(self, tokens: list[Token], names: Iterable[str], named: str | None) -> list[Filled | Misfit]:
        return [fill(tokens, vocabulary(name), self._book, implied=named is not None) for name in names]


def _slash(tokens: list[Token]) -> tuple[str | None, list[Token], NotParsed | None]:
    """A leading slash names the command; the rest are its words."""
    first = tokens[0]
    if first.kind is not Kind.SLASH:
        return None, tokens, None
    name = slash_names().get(first.text)
    if name is None:
        return None, tokens, NotParsed(Code.NOT_A_COMMAND, f"there is no /{first.text}; /help lists the commands")
    spoken = first.text.replace("_", " ")
    calls = registry()[name].command.declaration.calls
    call = first.text if first.text in calls else spoken if spoken in calls else calls[0]
    words = [Token(Kind.WORD, word, word) for word in call.split()]
    return name, [*words, *tokens[1:]], None


def _bare(tokens: list[Token]) -> str | None:
    """The command meant by another's name alone ("mode" asks for the status)."""
    spoken = [token.text for token in tokens if token.kind is not Kind.PUNCTUATION]
    name = spoken[0] if len(spoken) == 1 else ""
    return registry()[name].command.declaration.bare if name in registry() else None


def _called(tokens: list[Token]) -> dict[str, str]:
    """The commands that some phrase of the sentence calls, each with the first such phrase, in its order."""
    found: dict[str, str] = {}
    index = call_index()
    texts = [word for token in tokens for word in token.text.split(" ")]
    for place, text in enumerate(texts):
        for phrase, name in index.get(text, ()):
            if tuple(texts[place : place + len(phrase)]) == phrase:
                found.setdefault(name, " ".join(phrase))
    return found


def _best(attempts: list[Filled | Misfit]) -> Parsed | NotParsed | None:
    """The only reading, or the one that was called by the most words; else the reason of the closest miss."""
    filled = [attempt for attempt in attempts if isinstance(attempt, Filled)]
    if filled:
        longest = max(attempt.call_length for attempt in filled)
        best = [attempt for attempt in filled if attempt.call_length == longest]
        if len(best) == 1:
            return _parsed(best[0])
        names = " or ".join(sorted(attempt.command.declaration.name for attempt in best))
        return NotParsed(Code.AMBIGUOUS, f"that could be {names}; say which")
    misfits = [attempt for attempt in attempts if isinstance(attempt, Misfit)]
    if not misfits:
        return None
    first = min(misfits, key=lambda misfit: misfit.code is Code.NOT_A_COMMAND)
    return NotParsed(first.code, first.message)


def _parsed(filled: Filled) -> Parsed:
    return Parsed(filled.command, Mode(filled.mode) if filled.mode else None)


def _are_two(called: Mapping[str, str]) -> bool:
    """Two calls, at least one of them to trade, neither of which is a word that the other knows."""
    for one, phrase in called.items():
        if registry()[one].command.declaration.danger is not Danger.TRADE:
            continue
        for other, other_phrase in called.items():
            if other == one or other_phrase == phrase:
                continue
            if not knows(vocabulary(one), other_phrase) and not knows(vocabulary(other), phrase):
                return True
    return False
