"""Alerts from the outbox to whoever listens, in order, each at least once."""

from collections.abc import Callable
from typing import Protocol

from loguru import logger

from core.ledger.store import Alert, Store


class Sink(Protocol):
    """Somebody who takes alerts. Returns False when it could not, so that the alert waits."""

    async def __call__(self, alert: Alert) -> bool:
        """Take the alert, or answer False."""
        ...


def alert_text(alert: Alert) -> str:
    """How an alert reads on every face."""
    return f"[{alert.mode}] {alert.text}"


class Outbox:
    """Delivers what waits, in order. With a main sink that one decides; without, whoever listens.

    A listener answers whether somebody has seen the alert. One that nobody has seen is logged, once, and waits.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.main: Sink | None = None
        self.listeners: set[Callable[[Alert], bool]] = set()
        self._logged = 0

    async def deliver(self) -> int:
        """Deliver the waiting alerts in order, stopping at the first that nobody took. Returns how many went out."""
        delivered = 0
        for alert in self._store.waiting_alerts():
            taken = await self.main(alert) if self.main is not None else None
            if taken is False:
                break
            seen = [listener(alert) for listener in list(self.listeners)]
            if taken is None and not any(seen):
                self._log(alert)
                break
            self._store.mark_alerts([alert.id], "delivered")
            delivered += 1
        return delivered

    def _log(self, alert: Alert) -> None:
        if alert.id > self._logged:
            self._logged = alert.id
            logger.info("[ALERT] waits for somebody to hear it: {}", alert_text(alert))
