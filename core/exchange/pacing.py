"""How fast we call: a bucket of tokens that refills steadily."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_LEAST_WAIT_S = 0.001
"""Tokens are counted in floats: after the very wait that was worked out a hair may be missing."""


class TokenBucket:
    """Lets `burst` calls through at once and `rate_per_s` after that, first come, first served.

    Callers that are `patient` wait one behind the other, each until more than `reserve` tokens are there, so that who
    comes in a hurry finds those; but for `patience_s` at most: under a steady load, work that nobody waits for is slow
    and not left undone.

    For one event loop. `monotonic` tells seconds, `sleep` waits them; both are passed in so that tests need not wait.
    """

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        *,
        reserve: int = 0,
        patience_s: float = 1.5,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError(f"a bucket needs a rate above 0 and a burst of at least 1, not {rate_per_s} and {burst}")
        if not 0 <= reserve < burst:
            raise ValueError(f"a bucket of {burst} cannot keep a reserve of {reserve}")
        self._rate_per_s = rate_per_s
        self._least_for_the_patient = 1.0 + reserve
        self._patience_s = patience_s
        self._patience = asyncio.Lock()
        self._burst = burst
        self._monotonic = monotonic
        self._sleep = sleep
        self._tokens = float(burst)
        self._refilled_at = monotonic()

    async def take(self, *, patient: bool = False) -> None:
        """Wait until one more call is due. A caller that is canceled while it waits gives its place back."""
        if patient:
            async with self._patience:
                await self._give_way()
                await self.take()
            return
        self._refill()
        # The token is taken before the wait, into debt: whoever comes later sees the debt and waits behind, which
        # makes the queue fair without a lock.
        self._tokens -= 1
        if self._tokens >= 0:
            return
        try:
            await self._sleep(-self._tokens / self._rate_per_s)
        except BaseException:
            self._tokens += 1
            raise

    async def _give_way(self) -> None:
        until = self._monotonic() + self._patience_s
        self._refill()
        while self._tokens < self._least_for_the_patient and (left := until - self._monotonic()) > 0:
            # Whoever takes a token meanwhile makes it longer.
            wait = max((self._least_for_the_patient - self._tokens) / self._rate_per_s, _LEAST_WAIT_S)
            await self._sleep(min(left, wait))
            self._refill()

    def debit(self) -> None:
        """Take a token without waiting, into debt: for the rare call that must not wait. Others wait the longer."""
        self._refill()
        self._tokens -= 1

    def _refill(self) -> None:
        now = self._monotonic()
        gained = (now - self._refilled_at) * self._rate_per_s
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._refilled_at = now
