"""How fast we call: a bucket of tokens that refills steadily."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class TokenBucket:
    """Lets `burst` calls through at once and `rate_per_s` after that, first come, first served.

    For one event loop. `monotonic` tells seconds, `sleep` waits them; both are passed in so that tests need not wait.
    """

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError(f"a bucket needs a rate above 0 and a burst of at least 1, not {rate_per_s} and {burst}")
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._monotonic = monotonic
        self._sleep = sleep
        self._tokens = float(burst)
        self._refilled_at = monotonic()

    async def take(self) -> None:
        """Wait until one more call is due. A caller that is canceled while it waits gives its place back."""
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

    def debit(self) -> None:
        """Take a token without waiting, into debt: for the rare call that must not wait. Others wait the longer."""
        self._refill()
        self._tokens -= 1

    def _refill(self) -> None:
        now = self._monotonic()
        gained = (now - self._refilled_at) * self._rate_per_s
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._refilled_at = now
