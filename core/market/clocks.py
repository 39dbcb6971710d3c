"""Clocks. Nothing in core reads the time in another way than through one of these."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Tells the present moment, aware UTC."""


def wall_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class MarketClock:
    """The time of a market that stands still while nobody runs it.

    Starts at `start` and goes on with the machine's monotonic time, `speed` times as fast. With `step_s` it jumps
    from one multiple of the step to the next, as a market of candles does.
    """

    def __init__(
        self,
        start: datetime,
        *,
        speed: float = 1.0,
        step_s: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._speed = speed
        self._step_s = step_s
        self._monotonic = monotonic
        self._zero = monotonic()

    def __call__(self) -> datetime:
        """The market's present moment."""
        passed = (self._monotonic() - self._zero) * self._speed
        if self._step_s is not None:
            passed = passed // self._step_s * self._step_s
        return self._start + timedelta(seconds=passed)

    def resume_at(self, moment: datetime) -> None:
        """Go on from `moment`, for example where a former run stopped."""
        self._start = moment
        self._zero = self._monotonic()
