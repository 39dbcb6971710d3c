"""PURE. Which alerts are heard, which come without a sound, and which not at all."""

from collections.abc import Mapping
from enum import StrEnum

from core.domain.events import EventKind


class Topic(StrEnum):
    """What an alert is about, as the owner names it in ALERTS."""

    ENTRY = "entry"
    PROTECTED = "protected"
    PARTIAL = "partial"
    TARGET = "target"
    STOP = "stop"
    CLOSED = "closed"
    REFUSED = "refused"
    UNPROTECTED = "unprotected"
    STATE = "state"
    RESTART = "restart"
    SUMMARY = "summary"


class Loudness(StrEnum):
    """How an alert arrives."""

    ON = "on"
    SILENT = "silent"
    OFF = "off"


ALWAYS_TOLD = frozenset({Topic.UNPROTECTED, Topic.STATE})
"""Nobody may be left in the dark about these: silent at most."""

_TOPICS: Mapping[EventKind, Topic] = {
    EventKind.ENTRY_SENT: Topic.ENTRY,
    EventKind.ENTRY_FILLED: Topic.ENTRY,
    EventKind.ENTRY_PARTIAL: Topic.PARTIAL,
    EventKind.ENTRY_REJECTED: Topic.REFUSED,
    EventKind.ENTRY_CANCELED: Topic.ENTRY,
    EventKind.ORDER_LOST: Topic.REFUSED,
    EventKind.PROTECTED: Topic.PROTECTED,
    EventKind.PROTECTION_REFUSED: Topic.REFUSED,
    EventKind.UNPROTECTED: Topic.UNPROTECTED,
    EventKind.TARGET_HELD: Topic.TARGET,
    EventKind.MARKET_CLOSED: Topic.REFUSED,
    EventKind.TARGET_FILLED: Topic.TARGET,
    EventKind.STOP_FILLED: Topic.STOP,
    EventKind.EXIT_FILLED: Topic.CLOSED,
    EventKind.EXIT_PARTIAL: Topic.PARTIAL,
    EventKind.LATE_FILL: Topic.PARTIAL,
    EventKind.OVERSOLD: Topic.UNPROTECTED,
    EventKind.SOLD_ELSEWHERE: Topic.UNPROTECTED,
    EventKind.CLOSED: Topic.CLOSED,
    EventKind.STATE_CHANGED: Topic.STATE,
    EventKind.RESTARTED: Topic.RESTART,
    EventKind.STOPPED: Topic.RESTART,
    EventKind.SUMMARY: Topic.SUMMARY,
}


def topic_of(kind: str) -> Topic:
    """The topic of an alert by the kind that its row has; STATE for a kind of another version."""
    return _TOPICS[EventKind(kind)] if kind in set(EventKind) else Topic.STATE


def read_loudness(text: str) -> dict[Topic, Loudness]:
    """`text` like "partial=off, entry=silent". Raises ValueError saying what would be right."""
    chosen: dict[Topic, Loudness] = {}
    for pair in filter(None, (part.strip() for part in text.lower().split(","))):
        name, _, value = (piece.strip() for piece in pair.partition("="))
        if name not in set(Topic) or value not in set(Loudness):
            raise ValueError(f"{pair!r} is not TOPIC=on, silent or off; topics are {', '.join(Topic)}")
        if Topic(name) in ALWAYS_TOLD and value == Loudness.OFF:
            raise ValueError(f"{name} cannot be off: it tells of danger; silent is the least")
        chosen[Topic(name)] = Loudness(value)
    return chosen
