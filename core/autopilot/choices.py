"""What the owner chose about the autopilot, stored: whether it trades, in which mode, and what it watches."""

import json
from collections.abc import Sequence

from core.domain.modes import Mode
from core.ledger.store import Store
from core.strategy.config import TradingConfig

WATCHED_KEY = "watchlist"
SELECTED_KEY = "universe"
WATCHED_MAX = 100
"""Kraken is asked for one symbol's candles a second; more could not be read while a candle is fresh."""


class Choices:
    """`starts_on` is what holds on PAPER until somebody has chosen; LIVE is off until it is switched on."""

    def __init__(self, store: Store, config: TradingConfig, *, starts_on: bool = True) -> None:
        self.config = config
        self._store = store
        self._starts_on = starts_on

    def is_on(self, mode: Mode) -> bool:
        """Whether the autopilot trades in this mode."""
        stored = self._store.get(_key(mode))
        if stored is None:
            return mode is Mode.PAPER and self._starts_on
        return stored == "on"

    def switch(self, mode: Mode, *, on: bool) -> None:
        """Store the choice."""
        self._store.put(_key(mode), "on" if on else "off")

    def watched(self) -> tuple[str, ...]:
        """The symbols that are looked at, in the order in which they were chosen."""
        stored = self._store.get(WATCHED_KEY)
        if stored is not None:
            return tuple(json.loads(stored))
        _, selected = self._selected()
        return selected or self.config.universe.symbols

    @property
    def wants_selection(self) -> bool:
        """True where the symbols are to be chosen by figures, and the owner has not chosen himself."""
        return self.config.universe.select and not self.is_chosen

    @property
    def selected_on(self) -> str:
        """The UTC day of the last selection; "" before the first."""
        return self._selected()[0]

    def select(self, symbols: Sequence[str], day: str) -> None:
        """Store what was chosen by figures on this day."""
        self._store.put(SELECTED_KEY, json.dumps({"day": day, "symbols": list(symbols)}))

    def _selected(self) -> tuple[str, tuple[str, ...]]:
        text = self._store.get(SELECTED_KEY) if self.config.universe.select else None
        if text is None:
            return "", ()
        values = json.loads(text)
        return str(values["day"]), tuple(values["symbols"])

    @property
    def is_chosen(self) -> bool:
        """True once the owner has changed the list himself."""
        return self._store.get(WATCHED_KEY) is not None

    def watch(self, symbols: Sequence[str]) -> None:
        """Store another list."""
        self._store.put(WATCHED_KEY, json.dumps(list(dict.fromkeys(symbols))))


def _key(mode: Mode) -> str:
    return f"autopilot:{mode.value}"
