"""PURE. The numbers that a decision depends on, beside the bracket and the market."""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.modes import TargetMode
from core.risk.prices import BracketConfig

SUBMIT_DEADLINE_S = 10.0
"""An order that has not arrived after so long is not to arrive any more. Kraken takes 2 to 60 s."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one symbol on one desk. Times in seconds, percents as percents."""

    instrument: Instrument
    target_mode: TargetMode = TargetMode.EMULATED
    bracket: BracketConfig = field(default_factory=BracketConfig)
    submit_deadline_s: float = SUBMIT_DEADLINE_S
    unprotected_limit_s: float = 60.0
    close_unprotected: bool = True
    target_slippage_pct: Decimal = Decimal("0.1")
    target_pause_s: float = 30.0
    exit_pause_s: float = 2.0
    stuck_after_s: float = 20.0
    """How long a stop that was reached may take to sell; then Zyn takes it back and sells at market itself."""
    backoff_max_s: float = 60.0
    quote_age_max_s: float = 30.0
    links_legs: bool = True
    """The venue ends one leg when the other trades; without that both legs never rest together."""
    attach_stop: bool = False
    """The entry carries its stop, so that each of its fills is protected even if we die in that instant."""
    child_grace_s: float = 5.0
    """How long a stop that a fill has spawned may take to show up."""
    rests_unlinked: bool = False
    """Both legs may rest although nothing links them; Zyn ends the one when it sees the other trade."""
    room: float = math.inf
    """What the venue's own counter for the pair still has room for."""
    target_try_cost: float = 0.0
    """What of it a try of an emulated target may need, the stop after it included."""
    quiet_s: float = 10.0
    """Results of a command within this time are told by its reply, not by an alert as well."""

    @property
    def rests_target(self) -> bool:
        """True when both exit legs rest at the venue; `auto` never does.

        Stops that fills of the entry spawn belong to no group, so that a target beside them is linked to nothing.
        """
        linked = self.links_legs and not self.attach_stop
        return self.target_mode is TargetMode.RESTING and (linked or self.rests_unlinked)

    def backoff(self, failures: int) -> timedelta:
        """1, 2, 4 ... seconds after the first, second, third refusal, up to the maximum."""
        return timedelta(seconds=min(self.backoff_max_s, 2.0 ** max(0, failures - 1)))
