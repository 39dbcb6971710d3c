"""Kraken's counters: one for the REST calls of a key, one for the orders of each pair. They drain by the second."""

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """How far an account is verified."""

    STARTER = "starter"
    INTERMEDIATE = "intermediate"
    PRO = "pro"


REST_LIMITS = {Tier.STARTER: (15.0, 0.33), Tier.INTERMEDIATE: (20.0, 0.5), Tier.PRO: (20.0, 1.0)}
TRADING_LIMITS = {Tier.STARTER: (60.0, 1.0), Tier.INTERMEDIATE: (125.0, 2.34), Tier.PRO: (180.0, 3.75)}
"""The most that a counter may show, and how much of it drains in a second."""

ADD_COST = 1
CANCEL_COSTS = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
AMEND_COSTS = ((5, 3), (10, 2), (15, 1))
"""(younger than so many seconds, costs so much). The age counts from placing or from the last amendment."""
AMEND_FIXED = 1
"""What every amendment costs before its age counts, so that the dearest one costs 4."""

REST_COSTS = {
    "AddOrder": 0,
    "AmendOrder": 0,
    "CancelOrder": 0,
    "TradesHistory": 2,
    "Ledgers": 2,
}
"""Every other call costs 1."""


def cost_at(costs: tuple[tuple[int, int], ...], age_s: float) -> int:
    """What this table asks for an order of this age."""
    return next((cost for limit_s, cost in costs if age_s < limit_s), 0)


@dataclass(slots=True)
class Counter:
    """One counter. `peak` is the highest it ever stood, `refusals` how often it was over."""

    most: float
    drain_per_s: float
    value: float = 0.0
    at: float = 0.0
    peak: float = 0.0
    refusals: int = 0

    def level(self, now: float) -> float:
        """Where it stands."""
        return max(0.0, self.value - max(0.0, now - self.at) * self.drain_per_s)

    def add(self, cost: float, now: float, *, limited: bool) -> bool:
        """Count `cost`. False, counting nothing, when it would go over and is `limited`."""
        after = self.level(now) + cost
        if limited and cost and after > self.most:
            self.refusals += 1
            return False
        self.value, self.at = after, now
        self.peak = max(self.peak, after)
        return True
