"""What the owner chose about the autopilot, stored: whether it trades, in which mode, and what it watches."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.domain.modes import Mode
from core.ledger.store import Store
from core.strategy.config import TradingConfig
from core.strategy.universe import LeftOut

SELECTED_KEY, LOOKED_AT_KEY = "universe", "autopilot:looked_at"
FORMER_LIST_KEY = "watchlist"
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

    def watched(self, mode: Mode) -> tuple[str, ...]:
        """The symbols that are looked at in this mode, in the order in which they were chosen."""
        stored = self._own_list(mode)
        if stored is not None:
            return tuple(json.loads(stored))
        _, selected = self._selected()
        return selected or self.config.universe.symbols

    def wants_selection(self, mode: Mode) -> bool:
        """True where the symbols are to be chosen by figures, and the owner has not chosen himself."""
        return self.config.universe.select and not self.is_chosen(mode)

    @property
    def selected_on(self) -> str:
        """The UTC day of the last selection; "" before the first."""
        return self._selected()[0]

    def select(self, symbols: Sequence[str], day: str, left_out: Mapping[str, tuple[LeftOut, str]]) -> None:
        """Store what was chosen by figures on this day, and why each other symbol was not."""
        values = {"day": day, "symbols": list(symbols), "left_out": {name: list(why) for name, why in left_out.items()}}
        self._store.put(SELECTED_KEY, json.dumps(values))

    def left_out(self, mode: Mode) -> dict[str, tuple[LeftOut, str]]:
        """Why each symbol was not chosen at the last selection, with its number; empty before the first."""
        if not self.wants_selection(mode):
            return {}
        return {name: (LeftOut(code), why) for name, (code, why) in self._values().get("left_out", {}).items()}

    def _selected(self) -> tuple[str, tuple[str, ...]]:
        values = self._values()
        return str(values.get("day", "")), tuple(values.get("symbols", ()))

    def _values(self) -> dict[str, Any]:
        text = self._store.get(SELECTED_KEY) if self.config.universe.select else None
        return dict(json.loads(text)) if text is not None else {}

    def is_chosen(self, mode: Mode) -> bool:
        """True once the owner has changed this mode's list himself."""
        return self._own_list(mode) is not None

    def watch(self, mode: Mode, symbols: Sequence[str]) -> None:
        """Store another list. Each mode has its own: what is said about PAPER gives LIVE nothing to trade."""
        self._store.put(_list(mode), json.dumps(list(dict.fromkeys(symbols))))

    def _own_list(self, mode: Mode) -> str | None:
        # A list from before each mode had its own holds for both: what its owner took off it is not to be traded.
        return self._store.get(_list(mode)) or self._store.get(FORMER_LIST_KEY)

    def looked_at_since(self, mode: Mode, symbols: Collection[str], now: datetime) -> dict[str, datetime]:
        """Since when each of these has been looked at without a pause, the times included in which Zyn did not run.

        Another mode in between, or taken off the list, is a pause: nobody missed those candles.
        """
        known = json.loads(self._store.get(LOOKED_AT_KEY) or "{}")
        before = known.get("since", {}) if known.get("mode") == mode.value else {}
        since = {symbol: before.get(symbol, now.isoformat()) for symbol in sorted(symbols)}
        if known != (values := {"mode": mode.value, "since": since}):
            self._store.put(LOOKED_AT_KEY, json.dumps(values))
        return {symbol: datetime.fromisoformat(moment) for symbol, moment in since.items()}


def _key(mode: Mode) -> str:
    return f"autopilot:{mode.value}"


def _list(mode: Mode) -> str:
    return f"watchlist:{mode.value}"
