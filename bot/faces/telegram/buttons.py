"""PURE. Buttons and what their presses mean. A press says words, answers a question, or opens a choice of levels."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.talk import Answered
from core.domain.events import EventKind
from core.domain.modes import Mode
from core.ledger.store import Alert
from core.trading.offers import position_offers, show_open
from core.trading.reply import Offer, OfferKind, Reply

DATA_MAX = 64
"""Bytes of callback data that Telegram takes."""
ROWS_MAX = 12
_PER_ROW = 2
_MODES = {Mode.PAPER: "P", Mode.LIVE: "L"}
_BY_LETTER = {letter: mode for mode, letter in _MODES.items()}
_KINDS = {OfferKind.RUN: "do", OfferKind.REFRESH: "re", OfferKind.LEVELS: "lv"}
_DATA = re.compile(r"(?:(ok|no):([A-Z0-9]{6})|(do|re|lv):([PL]):(.{1,60}))", re.DOTALL)
_LEVELS = (
    ("Stop to entry", "sl break even"),
    ("Stop 1%", "sl 1%"),
    ("Stop 2%", "sl 2%"),
    ("Stop 3%", "sl 3%"),
    ("Target 2%", "tp 2%"),
    ("Target 4%", "tp 4%"),
)

COMMON = (("open", "balance"), ("trades", "status"), ("risk", "help"))
"""The keyboard under the input line: what is asked most."""

Button = tuple[str, str]
"""Label and callback data."""
Keyboard = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True)
class Said:
    """Words were said by button, for one desk. `in_place`: the answer replaces the message."""

    words: str
    mode: Mode
    in_place: bool


@dataclass(frozen=True, slots=True)
class Levels:
    """A choice of levels is wanted; `words` say of what."""

    words: str
    mode: Mode


def read_press(data: str) -> Answered | Said | Levels | None:
    """What a press means; None for a button that this Zyn does not know."""
    found = _DATA.fullmatch(data)
    if found is None:
        return None
    answer, code, kind, letter, words = found.groups()
    if answer:
        return Answered(code, answer == "ok")
    mode = _BY_LETTER[letter]
    return Levels(words, mode) if kind == "lv" else Said(words, mode, kind == "re")


def keyboard_of(reply: Reply) -> Keyboard:
    """The buttons below a reply: Confirm and Cancel below a question, else what the house offers."""
    if reply.question is not None:
        code = reply.question.code
        return [[("Confirm", f"ok:{code}"), ("Cancel", f"no:{code}")]]
    return _rows(reply.offers)


def keyboard_of_alert(alert: Alert) -> Keyboard:
    """The buttons below one alert: the open list, and the position where it is about one that is still open."""
    mode = Mode(alert.mode)
    offers = [show_open(mode)]
    if alert.symbol and alert.kind in _HELD:
        offers += position_offers(alert.symbol, mode)
    return _rows(offers)


_HELD = frozenset(
    {
        EventKind.ENTRY_FILLED, EventKind.ENTRY_PARTIAL, EventKind.PROTECTED, EventKind.PROTECTION_REFUSED,
        EventKind.UNPROTECTED, EventKind.TARGET_HELD, EventKind.LATE_FILL,
    }
)  # fmt: skip
"""Alerts after which coins are held."""


def spoken(data: str) -> str:
    """A press in words, for a list that a person reads."""
    meant = read_press(data)
    if isinstance(meant, Answered):
        return f"{'Confirm' if meant.yes else 'Cancel'} (the question {meant.code})"
    return f"the button “{meant.words}”" if meant is not None else "a button"


def levels_of(words: str, mode: Mode) -> Keyboard:
    """The choice of levels for one symbol, and the way back."""
    choices = [Offer(label, f"{words} {level}", mode) for label, level in _LEVELS]
    return _rows([*choices, show_open(mode)])


def _rows(offers: Iterable[Offer]) -> Keyboard:
    buttons = [button for offer in offers if (button := _button(offer)) is not None]
    rows = [buttons[start : start + _PER_ROW] for start in range(0, len(buttons), _PER_ROW)]
    return rows[:ROWS_MAX]


def _button(offer: Offer) -> Button | None:
    data = f"{_KINDS[offer.kind]}:{_MODES[offer.mode]}:{offer.words}"
    return (offer.label, data) if len(data.encode()) <= DATA_MAX else None
