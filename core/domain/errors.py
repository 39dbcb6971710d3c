"""Refusals as values: a code that programs can match and a sentence that a person can act on."""

from enum import StrEnum


class Code(StrEnum):
    """Why something was not done. One word each, used in code, logs and replies alike."""

    # The sentence is not a command.
    NOT_A_COMMAND = "NOT_A_COMMAND"
    QUESTION = "QUESTION"
    NEGATED = "NEGATED"
    CONDITIONAL = "CONDITIONAL"
    DEFERRED = "DEFERRED"
    REPORTED = "REPORTED"
    TWO_ORDERS = "TWO_ORDERS"
    AMBIGUOUS = "AMBIGUOUS"
    # A field of the command is missing or wrong.
    SYMBOL = "SYMBOL"
    AMOUNT = "AMOUNT"
    ORDER_TYPE = "ORDER_TYPE"
    LIMIT_PRICE = "LIMIT_PRICE"
    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    TARGET = "TARGET"
    ACTION = "ACTION"
    DAYS = "DAYS"
    PERIOD = "PERIOD"
    # Denied by us before anything was sent.
    NOT_BUILT_YET = "NOT_BUILT_YET"
    NOT_READY = "NOT_READY"
    LIVE_UNAVAILABLE = "LIVE_UNAVAILABLE"
    WRONG_MODE = "WRONG_MODE"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    INSTRUMENT_CLOSED = "INSTRUMENT_CLOSED"
    SPOT_ONLY = "SPOT_ONLY"
    NO_PRICES = "NO_PRICES"
    STALE_PRICES = "STALE_PRICES"
    BALANCE = "BALANCE"
    MINIMUM = "MINIMUM"
    MAX_ORDER = "MAX_ORDER"
    RISK_PER_TRADE = "RISK_PER_TRADE"
    EXPOSURE = "EXPOSURE"
    PRICE_COLLAR = "PRICE_COLLAR"
    NAKED = "NAKED"
    NOT_OURS = "NOT_OURS"
    NO_POSITION = "NO_POSITION"
    NOT_FOUND = "NOT_FOUND"
    NOT_ACTIVE = "NOT_ACTIVE"
    BUSY = "BUSY"
    UNCONFIRMED = "UNCONFIRMED"
    CONFIRMATION = "CONFIRMATION"
    # Said by the venue.
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    TEST_FAILED = "TEST_FAILED"
    VENUE_UNREADABLE = "VENUE_UNREADABLE"
    # Our own machinery.
    ILLEGAL_MOVE = "ILLEGAL_MOVE"
    STORAGE = "STORAGE"
    INTERNAL = "INTERNAL"


class ZynError(Exception):
    """A refusal or failure that a user may read.

    `code` is for programs, `message` says what is wrong and what would be right. The text form is the line that
    appears in replies and logs alike.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"[EXEC-ERR] {self.code}: {self.message}"


class Denied(ZynError):  # noqa: N818 - the field says denied
    """Refused by us, before anything was sent; the numbers are in the message."""
