"""PURE. The words that one command understands, compiled from its declaration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bot.grammar import words
from core.commands.base import Command, Danger, SlotKind, registry

Phrase = tuple[str, ...]
Meanings = Mapping[str, str]
"""What a phrase means to a command, by kind: {"label": "stop"}, {"call": ""}, {"glue": "", "noun": ""} …"""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Phrases by their first word, longest first, each with what it means to this command: "call", "label:stop",
    "part:50", "mode:PAPER", "choice:on", "break_even", "direction:-1", "noun" or "glue".
    """

    command: type[Command]
    phrases: Mapping[str, tuple[tuple[Phrase, Meanings], ...]]


def split(phrase: str) -> Phrase:
    """The words of a phrase as the lexer would give them."""
    return tuple(phrase.split())


class Glue(StrEnum):
    """Which small words may stand between the words that count."""

    ORDER = "order"
    QUESTION = "question"
    CHANGE = "change"
    LEVELS = "levels"


_GLUE = {
    Glue.ORDER: words.GLUE,
    Glue.QUESTION: words.QUERY_GLUE,
    Glue.CHANGE: words.CHANGE_GLUE,
    Glue.LEVELS: words.LEVEL_GLUE,
}


@cache
def vocabulary(name: str, glue: Glue | None = None) -> Vocabulary:
    """The vocabulary of the command of this name; `glue` None takes what fits its danger."""
    command = registry()[name].command
    declaration = command.declaration
    found: dict[Phrase, list[str]] = {}
    _add(found, declaration.calls, "call")
    kinds = {slot.kind for slot in command.slots().values()}
    _add_values(found, kinds)
    if kinds & {SlotKind.STOP, SlotKind.TARGET} and glue is not Glue.LEVELS:
        _add_around_levels(found, kinds)
    for word, mode in words.MODES.items():
        _add(found, (word,), f"mode:{mode}")
    for slot_name, slot in command.slots().items():
        for value, spoken in slot.choices.items():
            _add(found, spoken, f"choice:{slot_name}:{value}")
    _add(found, declaration.nouns, "noun")
    _add(found, declaration.plurals, "plural")
    _add(found, words.COURTESY, "courtesy")
    kind = glue or (Glue.ORDER if declaration.danger is Danger.TRADE else Glue.QUESTION)
    _add(found, _GLUE[kind], "glue")
    return Vocabulary(command, _index(found))


def _add_values(found: dict[Phrase, list[str]], kinds: set[SlotKind]) -> None:
    """The words around values: labels, directions, parts, break even."""
    if kinds & {SlotKind.STOP, SlotKind.TARGET}:
        _add(found, words.LABELS["stop"], "label:stop")
        _add(found, words.LABELS["target"], "label:target")
        if SlotKind.AMOUNT not in kinds:
            _add(found, words.BREAK_EVEN, "break_even")
    if SlotKind.AMOUNT in kinds:
        for label in ("limit", "market", "risk", "at", "entry"):
            _add(found, words.LABELS[label], f"label:{label}")
        _add(found, words.NOUNS_OF_MONEY, "noun")
        for word, value in words.FRACTIONS.items():
            _add(found, (word,), f"fraction:{value}")
    if kinds & {SlotKind.AMOUNT, SlotKind.SYMBOL_OR_ALL, SlotKind.CANCEL_TARGET}:
        for word, percent in words.PARTS.items():
            _add(found, (word,), f"part:{percent}")


def _add_around_levels(found: dict[Phrase, list[str]], kinds: set[SlotKind]) -> None:
    """Directions and price marks, which a sentence without a verb may not have: there they only describe."""
    for word, sign in words.DIRECTIONS.items():
        _add(found, (word,), f"direction:{sign}")
    if SlotKind.AMOUNT not in kinds:
        _add(found, words.LABELS["at"], "glue")


def _add(found: dict[Phrase, list[str]], phrases: Iterable[str], meaning: str) -> None:
    for phrase in phrases:
        meanings = found.setdefault(split(phrase), [])
        if meaning not in meanings:
            meanings.append(meaning)


def _index(found: dict[Phrase, list[str]]) -> dict[str, tuple[tuple[Phrase, Meanings], ...]]:
    by_first: dict[str, list[tuple[Phrase, Meanings]]] = {}
    for phrase, meanings in found.items():
        by_first.setdefault(phrase[0], []).append((phrase, _by_kind(meanings)))
    return {first: tuple(sorted(rows, key=lambda row: -len(row[0]))) for first, rows in by_first.items()}


def knows(one: Vocabulary, phrase: str) -> bool:
    """True when this phrase, whole, has a meaning there."""
    words_of = split(phrase)
    return any(known == words_of for known, _ in one.phrases.get(words_of[0], ()))


def _by_kind(meanings: Iterable[str]) -> Meanings:
    kinds: dict[str, str] = {}
    for meaning in meanings:
        kind, _, rest = meaning.partition(":")
        kinds.setdefault(kind, rest)
    return kinds


@cache
def call_index() -> dict[str, tuple[tuple[Phrase, str], ...]]:
    """First word of each call phrase, to (phrase, command name), longest phrase first."""
    found: dict[str, list[tuple[Phrase, str]]] = {}
    for name, entry in registry().items():
        for call in {*entry.command.declaration.calls, name}:
            phrase = split(call)
            found.setdefault(phrase[0], []).append((phrase, name))
    return {first: tuple(sorted(rows, key=lambda row: -len(row[0]))) for first, rows in found.items()}


@cache
def slash_names() -> dict[str, str]:
    """What may follow a slash, to the command's name: its name and its calls, joined by underscores."""
    found: dict[str, str] = {}
    for name, entry in registry().items():
        for call in entry.command.declaration.calls:
            found.setdefault(call.replace(" ", "_").replace("'", ""), name)
    return found | {name: name for name in registry()}


@cache
def reserved_words() -> frozenset[str]:
    """Every single word that the grammar uses: such a word is a coin only with `$` or a quote."""
    found: set[str] = set()
    for name in registry():
        for glue in Glue:
            for rows in vocabulary(name, glue).phrases.values():
                found.update(word for phrase, _ in rows for word in phrase)
    judging = (words.INTERROGATIVES, words.SPEECH, words.PAST, words.NEGATIONS, words.CONDITIONS, words.DEFERRALS)
    for group in (*judging, words.TIME_UNITS, words.PERCENT_WORDS):
        found.update(group)
    found.update(words.CURRENCIES)
    return frozenset(found) | {"order", "orders", "step", "near", "i", "you", "we", "s", "a"}
