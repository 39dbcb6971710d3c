"""What every venue can do for a desk, and what every market-data source can show."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from core.domain.instruments import Instrument
from core.domain.market import Book, Candle, Quote, Tape
from core.domain.modes import Mode
from core.domain.venue import EVERYTHING, Action, Fees, Outcome, Reach, Snapshot, Submit, VenueFill, VenueOrder


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a venue can do beyond single orders; what it does not declare is not relied on."""

    links_legs: bool = False
    """One leg of a group ends when the other trades, at the venue itself. Where this is False, stop and target do not
    rest together: before we could react, both might sell."""
    attaches_stops: bool = False
    """Each fill of an entry spawns its stop at the venue."""
    rests_unlinked: bool = False
    """Two legs may be placed side by side although nothing links them: where the owner wishes so, or the account is
    known to take both, Zyn itself ends the one when the other trades."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an account may be traded on. `problem` is empty where it may; `is_final`: no waiting mends it."""

    problem: str = ""
    is_final: bool = False


@dataclass(slots=True)
class Pulse:
    """How a venue answers, for whoever watches over it. Times on our clock."""

    failing_since: datetime | None = None
    """When the account began to be unreadable, and `failure` what was said then; None while it can be read."""
    failure: str = ""
    silent_since: datetime | None = None
    """The same for the venue's public word on its clock and state."""
    nonces_refused_at: deque[datetime] = field(default_factory=lambda: deque(maxlen=100))
    skew: timedelta | None = None
    """How far the venue's clock is ahead of ours."""
    status: str = "unknown"


class Exchange(Protocol):
    """One account at one venue. Reads raise VenueUnreadableError; `perform` never raises for what a venue does."""

    @property
    def mode(self) -> Mode:
        """Whose money it is."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What this venue can do."""
        ...

    @property
    def name(self) -> str:
        """The class name, as logs and replies show it."""
        ...

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        """Open orders, closed orders among `wanted` ids, and balances, in that order, as far as `reach` goes."""
        ...

    async def perform(self, action: Action) -> Outcome:
        """Send one action, once. Accepted, Refused with the venue's words, or Unknown."""
        ...

    async def validate(self, action: Submit) -> Outcome:
        """Ask whether this order would be taken; nothing is placed."""
        ...

    def is_look_due(self, last_look_at: datetime | None) -> bool:
        """Whether polling should look again: not while the venue itself would tell, nor with the last of our calls."""
        ...

    def room(self, symbol: str) -> float:
        """How many more orders, amends and cancels of this pair the venue takes now, in its own counting."""
        ...

    async def fees(self, symbol: str) -> Fees:
        """What this account pays."""
        ...

    async def fetch_fills(self, since: datetime, until: datetime | None = None) -> Sequence[VenueFill]:
        """The venue's own executions in that time, oldest first. Raises VenueUnreadableError."""
        ...

    async def readiness(self) -> Readiness:
        """Whether this account may be traded on now."""
        ...

    @property
    def pulse(self) -> Pulse | None:
        """How it answers; None for a venue that is within Zyn."""
        ...

    async def measure(self) -> None:
        """Compare the clocks and ask for the venue's state, into `pulse`. Raises ZynError."""
        ...

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        """The orders that rest at the venue now."""
        ...

    async def advance(self, base: str | None = None) -> None:
        """Let a simulated venue live up to now, for one coin or all. A real one lives by itself."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class MarketData(Protocol):
    """Public market data of one source. All calls may raise MarketDownError."""

    name: str

    async def instruments(self) -> Mapping[str, Instrument]:
        """Every instrument that can be traded, by symbol."""
        ...

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """The latest quote of each of these symbols that has one."""
        ...

    async def book(self, symbol: str) -> Book | None:
        """The order book, or None where the source has none."""
        ...

    async def status(self, symbol: str) -> str:
        """What the market of this symbol takes right now: "online" for everything, else the venue's own word;
        "unknown" where nobody can say.
        """
        ...

    async def tape(self, symbol: str, since: datetime) -> Tape:
        """What traded after `since`, up to now, in order."""
        ...

    async def candles(self, symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
        """The last `count` closed candles, oldest first; fewer where history is shorter.

        `patient`: where calls are counted, whatever else is read goes first. For work that nobody waits for.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...
