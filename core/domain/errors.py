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
    TOTAL_RISK = "TOTAL_RISK"
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
    VALIDATED = "VALIDATED"
    TEST_FAILED = "TEST_FAILED"
    VENUE_UNREADABLE = "VENUE_UNREADABLE"
    # Our own machinery.
    ILLEGAL_MOVE = "ILLEGAL_MOVE"
    STORAGE = "STORAGE"
    INTERNAL = "INTERNAL"


DENIED = frozenset(
    {
        Code.NOT_A_COMMAND, Code.SYMBOL, Code.AMOUNT, Code.ORDER_TYPE, Code.LIMIT_PRICE, Code.STOP_LOSS,
        Code.TAKE_PROFIT, Code.TARGET, Code.ACTION, Code.DAYS, Code.PERIOD, Code.NOT_BUILT_YET, Code.NOT_READY,
        Code.LIVE_UNAVAILABLE,
        Code.WRONG_MODE, Code.UNKNOWN_INSTRUMENT, Code.INSTRUMENT_CLOSED, Code.SPOT_ONLY, Code.NO_PRICES,
        Code.STALE_PRICES, Code.BALANCE, Code.MINIMUM, Code.MAX_ORDER, Code.RISK_PER_TRADE, Code.EXPOSURE,
        Code.TOTAL_RISK,
        Code.PRICE_COLLAR, Code.NAKED, Code.NOT_OURS, Code.NO_POSITION, Code.NOT_FOUND, Code.NOT_ACTIVE,
    }
)  # fmt: skip
"""Refusals from before anything was saved or sent: after any other answer something may have been done."""


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
