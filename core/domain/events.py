"""What happened, in the past tense: the lines of the alert outbox."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.modes import Mode


class EventKind(StrEnum):
    """Kinds of news that the owner may want to hear."""

    ENTRY_SENT = "entry_sent"
    ENTRY_FILLED = "entry_filled"
    ENTRY_PARTIAL = "entry_partial"
    ENTRY_REJECTED = "entry_rejected"
    ENTRY_CANCELED = "entry_canceled"
    ORDER_LOST = "order_lost"
    PROTECTED = "protected"
    PROTECTION_REFUSED = "protection_refused"
    UNPROTECTED = "unprotected"
    TARGET_HELD = "target_held"
    MARKET_CLOSED = "market_closed"
    TARGET_FILLED = "target_filled"
    STOP_FILLED = "stop_filled"
    EXIT_FILLED = "exit_filled"
    EXIT_PARTIAL = "exit_partial"
    LATE_FILL = "late_fill"
    OVERSOLD = "oversold"
    SOLD_ELSEWHERE = "sold_elsewhere"
    CLOSED = "closed"
    STATE_CHANGED = "state_changed"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, with the sentence that tells it. Saved in the transaction of its decision."""

    kind: EventKind
    mode: Mode
    at: datetime
    text: str
    symbol: str = ""
    bracket_id: str = ""
