"""PURE. Who must be asked before what: the one table between a wish and its execution."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from core.commands.base import Command, Danger
from core.domain.modes import Mode

EXPIRES_S = 120
"""How long a question may be answered, in seconds."""


class Author(StrEnum):
    """Who put the wish into words.

    PERSON wrote it in a conversation. SCRIPT is a command line or a pipe: meant, and nobody there to ask. BUTTON was
    pressed, which a thumb does by accident. MODEL made it up from what a person said.
    """

    PERSON = "person"
    SCRIPT = "script"
    BUTTON = "button"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What the owner set. `paper`: "named" lets a model's PAPER order pass where his own sentence says the same.

    `live`: "always" asks about his own LIVE orders as well. `price_move_pct` is how far a price may have moved,
    in percent, between the question and the answer.
    """

    paper: Literal["named", "always"] = "named"
    live: Literal["model", "always"] = "model"
    price_move_pct: Decimal = Decimal(1)


def must_ask(command: Command, mode: Mode, author: Author, policy: ConsentPolicy, *, named: bool = False) -> bool:
    """True where a person has to confirm `command` first. `named`: his own sentence says exactly the same order."""
    if command.only_shows:
        return False
    if author is Author.BUTTON:
        return True
    if author is Author.MODEL:
        return not _may_pass(command, mode, policy, named=named)
    is_live_trade = mode is Mode.LIVE and command.declaration.danger is Danger.TRADE
    if is_live_trade and policy.live == "always":
        return True
    is_dangerous = command.is_dangerous or (mode is Mode.LIVE and command.is_dangerous_live)
    return author is Author.PERSON and is_dangerous


def _may_pass(command: Command, mode: Mode, policy: ConsentPolicy, *, named: bool) -> bool:
    is_trade = command.declaration.danger is Danger.TRADE and not command.is_dangerous
    return is_trade and named and mode is Mode.PAPER and policy.paper == "named"
