"""What a venue of a test says where the test is about something else."""

import math
from collections.abc import Sequence
from datetime import datetime

from core.domain.venue import Fees, Outcome, Refused, Submit, VenueFill
from core.exchange.kraken_books import DEFAULT_FEES
from core.exchange.port import Pulse, Readiness


class PlainVenue:
    """Always ready, counts nothing, has no fills of its own to show."""

    async def validate(self, action: Submit) -> Outcome:
        return Refused(f"EGeneral:Unknown method ({action.symbol})")

    def is_look_due(self, last_look_at: datetime | None) -> bool:
        return True

    def room(self, symbol: str) -> float:
        return math.inf

    async def fees(self, symbol: str) -> Fees:
        return DEFAULT_FEES

    async def fetch_fills(self, since: datetime, until: datetime | None = None) -> Sequence[VenueFill]:
        return []

    async def readiness(self) -> Readiness:
        return Readiness()

    @property
    def pulse(self) -> Pulse | None:
        return None

    async def measure(self) -> None:
        """Nothing to compare."""
