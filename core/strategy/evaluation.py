"""PURE. One look of the autopilot at one closed candle: what it saw, what it wanted, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from core.domain.modes import Mode
from core.risk.gates import Gate
from core.strategy.words import Decision, Filter, Reason, Regime, Vote

if TYPE_CHECKING:
    from core.strategy.signals import Signal


class Came(StrEnum):
    """What came of a decision. BEGUN is written before anything is sent, and never twice for one candle."""

    NOTHING = "nothing"
    """There was nothing to do."""
    STOPPED = "stopped"
    """A gate stopped it."""
    BEGUN = "begun"
    OPENED = "opened"
    LEFT = "left"
    MANAGED = "managed"
    """Nothing was decided, and profit targeting took a step; the text says what the ledger showed of it then."""
    REFUSED = "refused"
    """The order was denied, rejected, or what became of it is unknown; the text says which."""
    MISSED = "missed"
    INTERRUPTED = "interrupted"
    """Zyn ended between the decision and the order; no order was saved."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A row of the evaluation log. `at` is the candle's open; figures are None where they are missing."""

    mode: Mode
    symbol: str
    interval_s: int
    at: datetime
    evaluated_at: datetime
    decision: Decision
    reason: Reason
    came: Came
    close: float | None = None
    regime: Regime = Regime.UNKNOWN
    figures: Mapping[str, float | None] | None = None
    votes: Mapping[Filter, Vote] | None = None
    said: Mapping[Filter, str] | None = None
    """The number of each vote beside the limit that was in force then."""
    holding: str = ""
    """What the autopilot held of this symbol then."""
    gate: Gate | None = None
    text: str = ""
    bracket_id: str = ""

    @property
    def key(self) -> tuple[str, str, int, datetime]:
        """What there is one of."""
        return self.mode.value, self.symbol, self.interval_s, self.at

    def ended(self, came: Came, text: str = "", gate: Gate | None = None, bracket_id: str = "") -> "Evaluation":
        """The same with what came of it."""
        return replace(self, came=came, text=text, gate=gate, bracket_id=bracket_id or self.bracket_id)


def evaluation_of(
    signal: "Signal", mode: Mode, interval_s: int, now: datetime, holding: str, said: Mapping[Filter, str]
) -> Evaluation:
    """The row of a signal, before anything is done about it."""
    return Evaluation(
        mode=mode,
        symbol=signal.symbol,
        interval_s=interval_s,
        at=datetime.fromtimestamp(signal.at, UTC),
        evaluated_at=now,
        decision=signal.decision,
        reason=signal.reason,
        came=Came.NOTHING,
        close=signal.close,
        regime=signal.regime,
        figures=signal.figures,
        votes=signal.votes,
        said=said,
        holding=holding,
    )


def missed(symbol: str, mode: Mode, interval_s: int, at: datetime, now: datetime) -> Evaluation:
    """The row of a candle that nobody looked at in time."""
    return Evaluation(mode, symbol, interval_s, at, now, Decision.NO_TRADE, Reason.MISSED, Came.MISSED)
