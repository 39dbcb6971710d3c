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
    """Delivers what waits. The main sink decides when an alert is delivered; listeners get a copy of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.main: Sink | None = None
        self.listeners: set[Callable[[Alert], None]] = set()

    async def deliver(self) -> int:
        """Deliver the waiting alerts in order, stopping at the first that nobody took. Returns how many went out."""
        delivered = 0
        for alert in self._store.waiting_alerts():
            if self.main is not None and not await self.main(alert):
                break
            if self.main is None and not self.listeners:
                logger.info("[ALERT] {}", alert_text(alert))
            for listener in list(self.listeners):
                listener(alert)
            self._store.mark_alerts([alert.id], "delivered")
            delivered += 1
        return delivered
