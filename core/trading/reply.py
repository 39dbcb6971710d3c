"""What a command answers: facts with their mode, receipts of what really happened, and a code where it did not."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from core.domain.brackets import Bracket
from core.domain.errors import Code
from core.domain.modes import Mode
from core.domain.money import plain
from core.domain.orders import Order

NEVER = datetime.fromtimestamp(0, UTC)
"""The age of what has not been read since the start."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of one order, copied from the ledger after the venue answered. Nothing else counts as one."""

    mode: Mode
    exchange: str
    client_id: str
    venue_id: str | None
    symbol: str
    role: str
    side: str
    state: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values; decimals as text."""
        return {
            "mode": self.mode.value,
            "exchange": self.exchange,
            "client_id": self.client_id,
            "venue_id": self.venue_id,
            "symbol": self.symbol,
            "role": self.role,
            "side": self.side,
            "state": self.state,
            "quantity": plain(self.quantity),
            "filled": plain(self.filled),
            "price": None if self.price is None else plain(self.price),
        }


def receipt_of(order: Order, bracket: Bracket, exchange: str) -> Receipt:
    """The receipt of an order as the ledger has it now."""
    return Receipt(
        mode=bracket.mode,
        exchange=exchange,
        client_id=order.client_id,
        venue_id=order.venue_id,
        symbol=bracket.symbol,
        role=order.role.value,
        side=order.side.value,
        state=order.state.value,
        quantity=order.quantity,
        filled=order.filled,
        price=order.average or order.price,
    )


@dataclass(frozen=True, slots=True)
class ExecFacts:
    """The fields of the [EXEC] log line. Text, because a denial has no numbers for some of them."""

    symbol: str = "-"
    side: str = "-"
    size: str = "-"
    entry: str = "-"
    stop: str = "-"
    target: str = "-"
    outcome: str = "-"
    source: str = ""
    """Who asked, where it was not the command itself."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asks a person to confirm what the lines of its reply show. Nothing of it is done until he does."""

    code: str
    expires_at: datetime


class OfferKind(StrEnum):
    """What taking an offer does: say its words, say them again in place of the old answer, or choose levels first."""

    RUN = "run"
    REFRESH = "refresh"
    LEVELS = "levels"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that fits next: a label for a button, and the words that say it. `mode` is the desk that is meant."""

    label: str
    words: str
    mode: Mode
    kind: OfferKind = OfferKind.RUN


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that belongs to an answer. `name` is that of a file, like ETHUSD-20261120-120000.png."""

    name: str
    png: bytes

    def as_json(self) -> dict[str, str]:
        """As JSON values, the bytes in base64."""
        return {"name": self.name, "png": b64encode(self.png).decode("ascii")}


def picture_of(values: Mapping[str, str]) -> Picture:
    """The picture back from its JSON values. Raises ValueError, KeyError or TypeError for what was never one."""
    return Picture(values["name"], b64decode(values["png"], validate=True))


class Row(str):
    """A line that is also a row of a table: `cells` are its values for faces that have columns."""

    __slots__ = ("cells",)
    cells: tuple[str, ...]

    def __new__(cls, text: str, *cells: str) -> Self:
        """The line `text`, with its cells."""
        row = super().__new__(cls, text)
        row.cells = cells
        return row


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `mode` is set whenever orders or positions are shown, and then it is the first thing said."""

    lines: tuple[str, ...]
    mode: Mode | None = None
    ok: bool = True
    code: Code | None = None
    receipts: tuple[Receipt, ...] = ()
    facts: ExecFacts | None = None
    data: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None
    """Where the venue could not be read since the question: how old what is said of orders is. NEVER: from before
    this process."""
    question: Question | None = None
    offers: tuple[Offer, ...] = ()
    picture: Picture | None = None

    @property
    def text(self) -> str:
        """The whole answer as plain text."""
        head = (f"Mode: {self.mode}.",) if self.mode is not None else ()
        return "\n".join((*head, *self.lines))

    def as_json(self) -> dict[str, Any]:
        """The answer for programs."""
        return {
            "ok": self.ok,
            "code": self.code.value if self.code else None,
            "mode": self.mode.value if self.mode else None,
            "text": self.text,
            "receipts": [receipt.as_json() for receipt in self.receipts],
            "data": self.data,
            "question": {"code": self.question.code, "expires_at": self.question.expires_at.isoformat()}
            if self.question
            else None,
            "picture": self.picture.as_json() if self.picture else None,
        }


def refusal(code: Code, message: str, mode: Mode | None = None) -> Reply:
    """The answer of something that was not done, as one line that logs and replies share."""
    return Reply((f"[EXEC-ERR] {code}: {message}",), mode=mode, ok=False, code=code)
