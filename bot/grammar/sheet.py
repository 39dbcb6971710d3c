"""PURE. One attempt to read a sentence as one command: what is placed, what is filled, and the error that ends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.grammar.reading import Word
from bot.grammar.symbols import SymbolBook
from bot.grammar.vocabulary import Vocabulary
from core.commands.base import Command, Slot, SlotKind
from core.domain.errors import Code


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why the sentence is not this command."""

    code: Code
    message: str


class MisfitError(Exception):
    """Ends the attempt; `misfit` says why."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.misfit = Misfit(code, message)


@dataclass(slots=True)
class Sheet:
    """What is known so far of one attempt."""

    vocabulary: Vocabulary
    book: SymbolBook
    words: list[Word]
    placed: set[int] = field(default_factory=set)
    fields: dict[str, Any] = field(default_factory=dict)
    call_length: int = 0
    call_at: int = -1
    """Where the call stands; -1 where there is none."""
    call: str = ""
    prices: list[tuple[Word, Code]] = field(default_factory=list)
    """Values that were taken for prices, each with the refusal if its currency is another than the pair's."""
    presets: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> type[Command]:
        """The command that is tried."""
        return self.vocabulary.command

    def slot(self, kind: SlotKind) -> tuple[str, Slot] | None:
        """The field of this kind, if the command has one."""
        return next(((name, slot) for name, slot in self.command.slots().items() if slot.kind is kind), None)

    def unplaced(self) -> list[tuple[int, Word]]:
        """What nothing has taken yet, with its position."""
        return [(index, word) for index, word in enumerate(self.words) if index not in self.placed]
