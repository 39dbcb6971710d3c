"""An exchange that loses, refuses and hides, around one that works."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from core.domain.modes import Mode
from core.domain.venue import EVERYTHING, Action, Outcome, Reach, Refused, Snapshot, Submit, Unknown, VenueOrder
from core.exchange.errors import VenueUnreadableError
from core.exchange.port import Abilities, Exchange
from tests.plain_venue import PlainVenue


@dataclass
class FaultyExchange(PlainVenue):
    """Faults by the role of a submitted order: refused, lost before the venue, or lost on the way back."""

    inner: Exchange
    refuse: dict[str, str] = field(default_factory=dict)
    lose_request: set[str] = field(default_factory=set)
    lose_answer: set[str] = field(default_factory=set)
    unreadable: bool = False
    incomplete: bool = False
    performed: list[Action] = field(default_factory=list)

    @property
    def mode(self) -> Mode:
        return self.inner.mode

    @property
    def abilities(self) -> Abilities:
        return self.inner.abilities

    @property
    def name(self) -> str:
        return self.inner.name

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        if self.unreadable:
            raise VenueUnreadableError("the venue of this test does not answer")
        shown = await self.inner.snapshot(wanted, reach)
        return replace(shown, complete=False) if self.incomplete else shown

    async def perform(self, action: Action) -> Outcome:
        self.performed.append(action)
        role = action.order.role.value
        if isinstance(action, Submit):
            if role in self.refuse:
                return Refused(self.refuse[role])
            if role in self.lose_request:
                return Unknown("the request was lost")
            if role in self.lose_answer:
                await self.inner.perform(action)
                return Unknown("the answer was lost")
        return await self.inner.perform(action)

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        return await self.inner.fetch_open_orders(symbol)

    async def advance(self, base: str | None = None) -> None:
        await self.inner.advance(base)

    async def close(self) -> None:
        await self.inner.close()
