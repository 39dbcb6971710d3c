"""A rig whose market makes candles: a test says how the price goes, the pilot looks after each close."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.autopilot.pilot import Pilot
from core.domain.brackets import Bracket
from core.domain.market import Candle
from core.domain.modes import Mode
from core.strategy.config import TradingConfig, Universe
from core.strategy.evaluation import Evaluation
from tests.rig import Rig, Wiring, open_rig

ZEC = "ZEC/USD"
MINUTES_5 = timedelta(minutes=5)
ONE = TradingConfig(universe=Universe(symbols=(ZEC,)))
UP, DOWN = (Decimal(3), Decimal("-1.2")), (Decimal(-3), Decimal("1.2"))
"""Steps of a market that goes one way without being exhausted."""


@dataclass
class Flight:
    """The pilot over a market of one symbol's candles."""

    rig: Rig

    @property
    def pilot(self) -> Pilot:
        """The one that the house has."""
        return self.rig.service.pilot

    def history(self, rows: int, steps: tuple[Decimal, Decimal] = UP, symbol: str = ZEC) -> None:
        """So many candles up to now."""
        close = Decimal(1000)
        start = self.rig.time.now - rows * MINUTES_5
        for row in range(rows):
            before, close = close, close + steps[row % 2]
            self._append(symbol, start + row * MINUTES_5, before, close)
        self.rig.hand.price(symbol, close)

    def _append(self, symbol: str, at: datetime, before: Decimal, close: Decimal, volume: str = "100") -> None:
        half = Decimal("0.5")
        candle = Candle(
            symbol,
            at,
            300,
            before,
            max(before, close) + half,
            min(before, close) - half,
            close,
            Decimal(volume),
        )
        self.rig.hand.history.setdefault(symbol, []).append(candle)

    async def candle(
        self, step: Decimal | str | int, symbol: str = ZEC, *, volume: str = "100", look: bool = True
    ) -> int:
        """Five minutes pass, a candle closes `step` away from the last one, and the pilot looks."""
        last = self.rig.hand.history[symbol][-1]
        close = last.close + Decimal(step)
        self._append(symbol, last.ends_at, last.close, close, volume)
        self.rig.time.now = last.ends_at + MINUTES_5 + timedelta(seconds=4)
        for name in self.rig.hand.last:
            self.rig.hand.price(name, close if name == symbol else self.rig.hand.last[name].last)
        return await self.pilot.look() if look else 0

    def rows(self, symbol: str | None = ZEC, limit: int = 50) -> list[Evaluation]:
        """The log, newest first."""
        return self.pilot.evaluations.last(Mode.PAPER, symbol, limit)

    def bracket(self) -> Bracket:
        """The newest bracket."""
        found = self.rig.desk.ledger.newest()
        assert found is not None
        return found


@asynccontextmanager
async def flight(config: TradingConfig = ONE, *, rows: int = 401, **wiring: object) -> AsyncIterator[Flight]:
    """A rising market of ZEC whose last candle has just closed; the autopilot is on."""
    given = replace(Wiring(strategy=config), **wiring)  # type: ignore[arg-type]
    async with open_rig(given) as rig:
        rig.time.now = rig.time.now.replace(minute=0, second=0, microsecond=0)
        made = Flight(rig)
        made.history(rows)
        yield made
