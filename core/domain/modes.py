"""The few words that the whole house agrees on: which books, who asked, what is allowed."""

from enum import StrEnum


class Mode(StrEnum):
    """Which books an order belongs to. PAPER is simulated and persistent, LIVE is real money."""

    PAPER = "PAPER"
    LIVE = "LIVE"

    @property
    def other(self) -> "Mode":
        """The desk that is not this one."""
        return Mode.LIVE if self is Mode.PAPER else Mode.PAPER


class Source(StrEnum):
    """Who asked for an order."""

    COMMAND = "command"
    AUTOPILOT = "autopilot"
    FORCE_TEST = "force_test"


class TradingState(StrEnum):
    """What a desk may do now: everything, only leave positions, or nothing but protect."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"

    def or_less(self, other: "TradingState") -> "TradingState":
        """The one of the two that allows less."""
        order = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)
        return max(self, other, key=order.index)


class TargetMode(StrEnum):
    """Where the target of a bracket waits: at the venue, or with us. AUTO stays with us and shows what it learns."""

    RESTING = "resting"
    EMULATED = "emulated"
    AUTO = "auto"
