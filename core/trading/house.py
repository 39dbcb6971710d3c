"""What a handler may know of the house beyond its own desk."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.domain.modes import Mode
from core.trading.desk import Desk
from core.trading.tick import TickReport

if TYPE_CHECKING:
    from core.autopilot.pilot import Pilot


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the diagnostic: `ok` is None for what is switched off and so neither good nor bad."""

    name: str
    ok: bool | None
    text: str


Probe = Callable[[], Awaitable[Check]]


class House(Protocol):
    """The TradingService as handlers see it."""

    @property
    def active_mode(self) -> Mode:
        """The mode that commands use when they name none."""
        ...

    @property
    def probes(self) -> Mapping[str, Probe]:
        """Checks of the things outside of core: Telegram, model, jobs."""
        ...

    @property
    def pilot(self) -> "Pilot":
        """The autopilot: its choices, its log, its days."""
        ...

    @property
    def lacks(self) -> str:
        """What a desk that is not set up would need, as an instruction."""
        ...

    @property
    def owner(self) -> str:
        """What Zyn calls the person it works for."""
        ...

    def desk(self, mode: Mode) -> Desk:
        """The desk of a mode. Raises Denied where it is not set up."""
        ...

    def other_desk(self, desk: Desk) -> Desk | None:
        """The desk that is not this one, if it is set up."""
        ...

    async def switch(self, mode: Mode) -> Mode:
        """Store and use another active mode. Returns the former one. Raises Denied where it is not set up."""
        ...

    async def tick(self, desk: Desk, base: str | None = None, *, urgent: bool = False) -> TickReport:
        """Run the tick of a desk."""
        ...

    def describe_database(self) -> Check:
        """Whether the database can be read and written, and which it is."""
        ...
