"""Alerts from the outbox to whoever listens, in order, each at least once."""

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from core.ledger.store import Alert, Store

Channel = Callable[[], Awaitable[int | None]]
"""Sends on what waits for one place, keeping by itself how far that is. Answers the id of the last alert that it has
delivered for good, None where it delivers nothing to anybody."""

PATIENCE_S = 2.0
"""How long a channel may hold up the count; it goes on by itself."""


def alert_text(alert: Alert) -> str:
    """How an alert reads on every face."""
    return f"[{alert.mode}] {alert.text}"


class Outbox:
    """Delivers what waits, in order. With channels those decide what is delivered; without, whoever listens.

    A listener answers whether somebody has seen the alert. One that nobody has seen is logged, once, and waits.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.channels: list[Channel] = []
        self.listeners: set[Callable[[Alert], bool]] = set()
        self._shown = 0
        self._logged = 0
        self._running: dict[int, asyncio.Future[int | None]] = {}

    async def deliver(self) -> int:
        """Deliver the waiting alerts in order. Returns how many are delivered by now that were not before."""
        waiting = self._store.waiting_alerts()
        reached = [one for one in await self._pump() if one is not None]
        seen = self._show(waiting)
        if not reached:
            self._store.mark_alerts([alert.id for alert in seen], "delivered")
            if len(seen) < len(waiting):
                self._log(waiting[len(seen)])
            return len(seen)
        delivered = [alert for alert in waiting if alert.id <= min(reached)]
        if delivered:
            self._store.mark_alerts_up_to(min(reached))
        return len(delivered)

    async def _pump(self) -> list[int | None]:
        """What each channel has delivered. One that takes long runs on beside the others and counts as not yet."""
        if not self.channels:
            return []
        for number, channel in enumerate(self.channels):
            if number not in self._running:
                self._running[number] = asyncio.ensure_future(channel())
        await asyncio.wait(self._running.values(), timeout=PATIENCE_S)
        return [self._result(number) for number in range(len(self.channels))]

    def _result(self, number: int) -> int | None:
        """What one channel has delivered; nothing new while it still runs, or where it failed."""
        running = self._running[number]
        if not running.done():
            return 0
        del self._running[number]
        error = running.exception()
        if error is not None:
            logger.opt(exception=error).error("[ALERT] a channel failed; it is tried again")
            return 0
        return running.result()

    def close(self) -> None:
        """Let go of what is still being sent; it waits in the database."""
        for running in self._running.values():
            running.cancel()

    def _show(self, waiting: list[Alert]) -> list[Alert]:
        """Show each alert once to whoever listens. Returns those from the first on that somebody has seen."""
        seen: list[Alert] = []
        for alert in waiting:
            if alert.id > self._shown:
                heard = [listener(alert) for listener in list(self.listeners)]
                if not any(heard):
                    break
                self._shown = alert.id
            seen.append(alert)
        return seen

    def _log(self, alert: Alert) -> None:
        if alert.id > self._logged:
            self._logged = alert.id
            logger.info("[ALERT] waits for somebody to hear it: {}", alert_text(alert))
