"""How much Kraken lets us ask: its two counters, kept by us, so that its own never refuse.

Source: Kraken's pages on rate limits of the REST API and of the trading engine. The REST counter is one for the
account, rises with each read and falls steadily; orders do not touch it. The trading counter is one for each pair and
rises with each order, amend and cancel.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ADD_COST = 1.0
_CANCEL_COSTS = ((5, 8.0), (10, 6.0), (15, 5.0), (45, 4.0), (90, 2.0), (300, 1.0))
_AMEND_COSTS = ((5, 3.0), (10, 2.0), (15, 1.0))
_AMEND_FIXED_COST = 1.0
TARGET_TRY_COST = 8.0 + ADD_COST + ADD_COST + 4.0
"""What one try of an emulated target may cost: cancel the stop, sell, place a stop again, and amend it once."""
REST_RESERVE = 3.0
"""What ordinary reads leave of the REST counter: enough to see an unanswered order through."""
_BLINK_S = 0.01
PATIENCE_S = 5.0
"""Who has waited so long for ordinary reads is served like the urgent ones."""
POLL_RESERVE = 8.0
"""What polling leaves, for what somebody asks and for what happens."""
ENTRY_RESERVE = 2 * TARGET_TRY_COST
"""What an entry leaves of a pair's counter, for the orders that protect what is open."""


class Tier(StrEnum):
    """Kraken's verification levels, which decide the limits."""

    STARTER = "starter"
    INTERMEDIATE = "intermediate"
    PRO = "pro"


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum of each counter, and how much of it is forgiven in a second."""

    rest_max: float
    rest_decay: float
    trading_max: float
    trading_decay: float


LIMITS = {
    Tier.STARTER: Limits(15, 0.33, 60, 1.0),
    Tier.INTERMEDIATE: Limits(20, 0.5, 125, 2.34),
    Tier.PRO: Limits(20, 1.0, 180, 3.75),
}


class Counter:
    """A number that rises by what we do and falls steadily to zero. `monotonic` tells seconds."""

    def __init__(self, maximum: float, decay: float, monotonic: Callable[[], float]) -> None:
        self.maximum = maximum
        self._decay = decay
        self._monotonic = monotonic
        self._level = 0.0
        self._at = monotonic()

    @property
    def level(self) -> float:
        """Where it stands now."""
        now = self._monotonic()
        self._level = max(0.0, self._level - (now - self._at) * self._decay)
        self._at = now
        return self._level

    @property
    def room(self) -> float:
        """What may still be added before the venue refuses."""
        return self.maximum - self.level

    def add(self, cost: float) -> None:
        """Count something that was done."""
        self._level = self.level + cost

    def fill(self) -> None:
        """The venue says that it is full, whatever we counted."""
        self._level = max(self.level, self.maximum)

    def wait_s(self, cost: float) -> float:
        """Seconds until `cost` fits."""
        return max(0.0, (cost - self.room) / self._decay)


class RestBudget:
    """Reads wait here until the REST counter has room for them. Urgent ones may use all of it, and wait for no others.

    For one event loop.
    """

    def __init__(
        self,
        tier: Tier,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        limits = LIMITS[tier]
        # One below the maximum: our clock and Kraken's do not tick alike.
        self.counter = Counter(limits.rest_max - 1, limits.rest_decay, monotonic)
        self._sleep = sleep
        self._monotonic = monotonic
        self._turn = asyncio.Lock()

    async def take(self, cost: float, *, urgent: bool = False) -> None:
        """Wait for room, then count `cost`."""
        if urgent:
            await self._take(cost, 0.0)
            return
        async with self._turn:
            await self._take(cost, REST_RESERVE)

    async def _take(self, cost: float, reserve: float) -> None:
        since = self._monotonic()
        while (wait := self.counter.wait_s(cost + reserve)) > 0:
            if self._monotonic() - since >= PATIENCE_S:
                reserve, wait = 0.0, self.counter.wait_s(cost)
            # Never less than a blink: the rest of a rounding would be waited for without end.
            await self._sleep(min(PATIENCE_S, max(wait, _BLINK_S)))
        self.counter.add(cost)


class TradingBudget:
    """The trading counters, by symbol. Nothing waits here: what protects goes out, and what opens looks first."""

    def __init__(self, tier: Tier, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = LIMITS[tier]
        self._monotonic = monotonic
        self._counters: dict[str, Counter] = {}

    def of(self, symbol: str) -> Counter:
        """The counter of one pair."""
        found = self._counters.get(symbol)
        if found is None:
            found = Counter(self._limits.trading_max, self._limits.trading_decay, self._monotonic)
            self._counters[symbol] = found
        return found


def cancel_cost(opened_at: datetime, now: datetime) -> float:
    """What taking an order back costs: the younger it is, the more."""
    return _by_age(_CANCEL_COSTS, (now - opened_at).total_seconds())


def amend_cost(opened_at: datetime, now: datetime) -> float:
    """What changing an order costs; `opened_at` is when it was placed or changed last."""
    return _AMEND_FIXED_COST + _by_age(_AMEND_COSTS, (now - opened_at).total_seconds())


def _by_age(costs: tuple[tuple[int, float], ...], age_s: float) -> float:
    return next((cost for limit_s, cost in costs if age_s < limit_s), 0.0)
